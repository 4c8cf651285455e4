// The answers of the server by the names that the views use. Their shapes are generated from the
// server's own document (schema.ts: npm run types); here stands only what that document leaves open.
import type { components } from './schema';

// Lists are never null in what the server sends; its document cannot say so.
type Filled<T> = [Extract<T, readonly unknown[]>] extends [never] ? (T extends object ? { [K in keyof T]: Filled<T[K]> } : T) : Extract<T, readonly unknown[]> extends readonly (infer U)[] ? Filled<U>[] : never;

type Schemas = { [K in keyof components['schemas']]: Filled<components['schemas'][K]> };

export type Num = number | null;

export interface Page<T> { items: T[]; next_cursor: string | null }

export type Health = Schemas['Health'];
export type Version = Schemas['Version'];
export type User = Schemas['Person'];
export type Verified = Schemas['Verified'];
export type Token = Schemas['TokenInfo'];
export type Session = Schemas['SessionInfo'];
export type NewToken = Schemas['NewToken'];

export type Warning = Schemas['Warning'];
export type Candles = Schemas['Candles'];
export type Trade = Schemas['Trade'];
export type Fill = Schemas['Fill'];
export type Equity = Schemas['Curve'];
export type RunBars = Schemas['RunBars'];
export type SweepTable = Schemas['SweepTable'];
export type Bars = Schemas['BarsAnswer'];
export type Ticker = Schemas['Ticker'];
export type SymbolCalendar = Schemas['SymbolCalendar'];
export type Ranges = Schemas['Coverage'];
export type Run = Schemas['Run'];
export type Status = Run['status'];
/** Numbers, and dates as text. */
export type Metrics = Record<string, string | number | boolean | null>;
export type PreviewColumn = Schemas['PreviewColumn'];
export type SymbolPreview = Schemas['PreviewSymbol'];
export type Diagnostic = Schemas['Finding'];
export type Completions = Schemas['Completion'];
export type CompletionItem = Schemas['Item'];
export type Hover = Schemas['Hint'];
export type Indicator = Schemas['IndicatorInfo'];
export type MetricRow = Schemas['MetricInfo'];

/** A strategy in a list, and with its text when it was asked for alone. */
export type StrategyEntry = Schemas['StrategyInfo'] & Partial<Pick<Schemas['StrategyText'], 'text' | 'latest' | 'params' | 'findings'>>;

export interface Coverage { symbol: string; first: string; last: string; bars: number; warm?: number; missing?: number; ended?: string }

/** What a result stands on; the same as in the file of a result. */
export interface DataInfo {
  synthetic?: boolean;
  symbols: string[];
  from: string;
  to: string;
  first_decision: string;
  warmup_bars: number;
  bars: number;
  sha256: string;
  coverage: Coverage[];
}

export interface Counts { bars: number; warming: number; signals?: Record<string, number>; refused?: Record<string, number> }

/** What the other answers to which came first in a bar, the stop or the target, would have made of a run. */
export interface Ambiguity { bars: number; stop_first: { bars: number; metrics: Metrics }; target_first: { bars: number; metrics: Metrics } }

interface Parts { config?: Record<string, unknown>; data?: DataInfo; counts?: Counts; ambiguity?: Ambiguity }

export type Preview = Omit<Schemas['Preview'], keyof Parts> & Required<Parts>;
export type Detail = Omit<Schemas['RunDetail'], keyof Parts> & Parts;
export type TradeDifference = Schemas['TradeDifference'];
export type TradesCompared = Schemas['TradesCompared'];
export type Compared = Omit<Schemas['Compared'], 'config'> & { config: Record<string, unknown> };
