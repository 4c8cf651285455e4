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

export async function fill(server) {
  const have = await server.ask('GET', '/api/backtest/history?limit=50&status=succeeded&kind=run');
  const all = have.items.map((r) => r.run_id);
  if (all.length < 3) {
    all.length = 0;
    const symbols = ['ACME', 'BCPC', 'SPLIT'];
    const first = await server.run({ strategy: 'rsi-dip', symbols, from: '2015-01-01', set: { benchmark: 'ACME' } });
    all.push(await server.run({ strategy: trend, symbols, tags: ['trend'], notes: 'Expected few trades and long holding times.' }));
    all.push(await server.run({ strategy: 'pullback', symbols, tags: ['dip', 'limit orders'] }));
    all.push(await server.run({ strategy: 'golden-cross', symbols: ['ACME'] }));
    await server.ask('PATCH', `/api/backtest/runs/${first}`, { starred: true, name: 'First try of the dip', tags: ['dip'], notes: 'With the costs of a small account.' });
    await server.ask('PUT', '/api/strategies/my-trend', { text: trend });
    all.unshift(first);
  }
  return { run: all.at(-1) && (have.items.find((r) => r.starred)?.run_id ?? all[0]), all };
}
