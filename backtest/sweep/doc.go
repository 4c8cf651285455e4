// Package sweep plays one strategy with every combination of its parameters, as fast as the machine
// allows, and says which of them are worth a second look.
//
//	summary, err := sweep.Run(ctx, cfg, source, sweep.Options{Row: func(r *sweep.Row) error { ... }})
//
// In: a Config whose parameters have several values, and a bar.Source. Out: rows, one a combination (and
// symbol), in the order of the plan and the same bytes whatever the number of workers; what was best; the
// path that each combination took. It refuses a Config with faults, searches it does not know, metrics that
// do not exist, and sweeps that would need more memory than they may have, with the figure.
//
// # Plan
//
// NewPlan lists the combinations: those of the grid that meet the `constraint` of the file, the last
// parameter running fastest, or a sample of them. They have numbers from 0 on, so that any range of them is
// a piece of work of its own; pieces put one after another are the whole, bit for bit.
//
// # Paths
//
// The event engine of package backtest is the reference: whatever runs elsewhere gives the same fills, and
// metrics equal to 1e-9. The planner takes the fastest path that the strategy allows and says why:
//
//	sorted   columns of averages and the like, compared in pairs: kept in order of value from bar to
//	         bar; two that change places are a crossing of that pair
//	sparse   conditions are bitsets, of which only the set bits are visited; what lies between
//	         entry and exit comes from tables
//	fused    one loop over the bars of each position, for stops, targets, sizes, costs, dividends
//	event    everything else; columns are shared by all combinations, the engine's memory as well
//
// A combination that a path finds it cannot do, such as one with a dividend in a position, takes the next
// one by itself, and its row says so. With data.from nothing is sorted: each combination has as much history
// before it as its own rules need, averages that begin elsewhere differ in their last bits, and prices that
// tie would then fill otherwise than in the event engine. Columns are shared by combinations of one history.
package sweep
