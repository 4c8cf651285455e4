package server

import (
	"context"

	"backtester/backtest/stats"
	"backtester/server/account"
)

// MetricInfo explains a metric of results.
type MetricInfo struct {
	Key     string `json:"key"`
	Name    string `json:"name"`
	Unit    string `json:"unit" enum:"fraction,USD,count,ratio,days,bars,sessions,probability,date" doc:"fraction: 0.1 is ten percent; date: days since 1970"`
	Group   string `json:"group"`
	Formula string `json:"formula"`
	Source  string `json:"source" doc:"publication of the formula, or definition"`
	Sense   string `json:"sense" enum:"higher,lower,none" doc:"which direction is better"`
	Needs   string `json:"needs" doc:"what must be there for it to be defined; empty: nothing"`
	Doc     string `json:"doc"`
}

type metricsOutput struct {
	Body struct {
		Items []MetricInfo `json:"items"`
	}
}

func (s *Server) metricOperations() {
	operation(s, route{id: "metrics", method: "GET", path: "/api/metrics", tag: "runs", summary: "List the metrics of results, with what they say and how they are computed", status: 200, scope: account.Read},
		func(context.Context, *empty) (*metricsOutput, error) {
			out := &metricsOutput{}
			for _, m := range stats.Table() {
				out.Body.Items = append(out.Body.Items, MetricInfo{m.Key, m.Name, string(m.Unit), string(m.Group), m.Formula, m.Source, string(m.Sense), m.Needs, m.Doc})
			}
			return out, nil
		})
}
