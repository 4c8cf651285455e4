// What a validation came to, as far as pages show it; the whole document is the file of its result.
import { request } from './request';
import type { Num } from './types';

export interface Parameter { name: string; value: number }
export interface Question { key: string; question: string; verdict: Verdict; figure: string; value: Num; rule: string; answer: string; on: string; reason?: string }
export type Verdict = 'passes' | 'doubtful' | 'fails' | 'undefined';

export interface Window {
  train_from: string; train_to: string; test_from: string; test_to: string; short?: boolean; combinations: number; eligible: number; chosen: Parameter[] | null;
  in_sample: Num; out_of_sample: Num; efficiency: Num; sessions: number; total_return: Num; trades: number; carried?: number; reason?: string;
}
export interface WalkForward {
  train: string; test: string; anchored: boolean; carry: boolean; windows: Window[]; in_sample: Num; out_of_sample: Num; efficiency: Num; total_return: Num; cagr: Num; sharpe: Num; max_drawdown: Num;
  equity: { time: string[]; value: number[] };
}
export interface Pbo { by: string; configurations: number; blocks: number; splits: number; undecided: number; probability: Num; loss: Num; slope: Num; r2: Num; logits: { value: number; count: number }[] }
export interface Path { equity?: Num[]; total_return: Num; sharpe: Num; max_drawdown: Num }
export interface Cross { by: string; groups: number; tested: number; purge_sessions: number; embargo_sessions: number; paths: Path[]; dates?: string[] | null; sharpe_median: Num; sharpe_p05: Num; sharpe_p95: Num; loss_share: Num }
export interface Point { label: string; at: number; base: boolean; trades: Num; total_return: Num; sharpe: Num; max_drawdown: Num; fault?: string }
export interface Stress { runs: number; delay: Point[] | null; costs: Point[] | null; starts: Point[] | null; without_symbol: Point[] | null; parameters: { name: string; points: Point[] }[] | null; left: string[] | null }
export interface Superiority { draws: number; p: Num; reality_check_p: Num; models: number; best: Parameter[] }

export interface Validation {
  strategy: string; verdict: Verdict; questions: Question[]; engine_version: string; seed: number;
  data: { symbols: string[]; from: string; to: string; sessions: number; sha256: string; synthetic?: boolean };
  search: { method: string; objective: string; eligibility: string; combinations: number; eligible: number; chosen: Parameter[] | null; default: boolean };
  walk_forward: WalkForward | null; pbo: Pbo | null; cpcv: Cross | null; kfold: Cross | null; against_cash: Superiority | null; against_holding: Superiority | null;
  monte_carlo: { draws: number; sharpe_low: Num; sharpe_high: Num; loss: Num; max_drawdown_median: Num; max_drawdown_p05: Num } | null;
  noise: { size: number; runs: number; sharpe_median: Num; sharpe_p05: Num; sharpe_p95: Num; profit_share: Num }[] | null;
  stress: Stress | null;
}

export const validation = (id: string, signal?: AbortSignal): Promise<Validation> => request(`/api/backtest/results/${id}/result`, { signal });
