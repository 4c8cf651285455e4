// Runs and strategies for pictures and tests, made through the API as a script would.
const trend = `name: trend of two averages
data: {bars: 1d, from: 2015-01-01}
params:
  fast: {default: 20, values: [10, 20, 50]}
entry: crosses_above(sma(close, fast), sma(close, 200))
exit: crosses_below(sma(close, fast), sma(close, 200))
costs: {commission: {per_share: 0.005, min: 1}, slippage: {bps: 2}}
benchmark: ACME
`;

// A family of strategies, for sweeps and validations.
export const family = `name: dips of many depths
universe: {symbols: [ACME]}
data: {bars: 1d, from: 2016-01-01}
params:
  length: {default: 4, values: 2..13}
  level: {default: 20, values: 10..45 step 5}
entry: rsi(close, length) < level
exit: close > sma(close, 5)
costs: {slippage: {bps: 2}}
search: {min_trades: 30}
validate: {walk_forward: {train: 2y, test: 1y}, pbo: 8, draws: 199, noise: 2}
`;

// search is a sweep or a validation of the family: the one that is there, or a new one.
export async function search(server, kind) {
  const have = await server.ask('GET', `/api/backtest/history?limit=1&status=succeeded&kind=${kind}`);
  return have.items[0]?.run_id ?? server.run({ kind, strategy: family });
}

export async function fill(server) {
  const have = await server.ask('GET', '/api/backtest/history?limit=50&status=succeeded&kind=run');
  const all = have.items.map((r) => r.run_id).reverse(); // as they were made
  if (all.length < 3) {
    all.length = 0;
    const symbols = ['ACME', 'BCPC', 'SPLIT'];
    const first = await server.run({ strategy: 'rsi-dip', symbols, from: '2015-01-01', set: { benchmark: 'ACME' } });
    all.push(await server.run({ strategy: trend, symbols, tags: ['trend'], notes: 'Expected few trades and long holding times.' }));
    all.push(await server.run({ strategy: 'pullback', symbols, tags: ['dip', 'limit orders'] }));
    all.push(await server.run({ strategy: 'golden-cross', symbols: ['ACME'] }));
    await server.ask('PATCH', `/api/backtest/runs/${first}`, { starred: true, name: 'First try of the dip', tags: ['dip'], notes: 'With the costs of a small account.' });
    await server.ask('PUT', '/api/strategies/my-trend', { text: trend.replace('fast: {default: 20, values: [10, 20, 50]}', 'fast: 20') });
    await server.ask('PUT', '/api/strategies/my-trend', { text: trend }, { 'If-Match': '"v1"' });
    all.unshift(first);
  }
  return { run: all.at(-1) && (have.items.find((r) => r.starred)?.run_id ?? all[0]), all };
}
