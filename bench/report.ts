/** What a benchmark found, as a table for people and as JSON for machines. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Environment } from './environment.ts';
import type { Options } from './options.ts';

export interface Target {
  readonly bound: 'at least' | 'at most';
  readonly of: 'ratio' | 'value';
  readonly limit: number;
}

/** One line of the table. */
export interface Row {
  readonly name: string;
  /** Missing when it was not measured. */
  readonly value?: number;
  readonly unit: string;
  /** What the value is compared with, and how they compare. */
  readonly reference?: number;
  readonly ratio?: number;
  readonly target?: Target;
}

/** The lines of one group of measurements, with everything they were computed from. */
export interface Findings {
  readonly rows: readonly Row[];
  readonly raw: object;
}

export type Verdict = 'ok' | 'short' | '';

export function verdictOf({ value, ratio, target }: Row): Verdict {
  if (!target) return '';
  if (value === undefined) return '';
  const measured = target.of === 'ratio' ? ratio : value;
  if (measured === undefined) return 'short';
  const met = target.bound === 'at least' ? measured >= target.limit : measured <= target.limit;
  return met ? 'ok' : 'short';
}

export function printEnvironment(environment: Environment): void {
  const { cpu, cores, memory_gib, system, node, file_system, median_sync_ms, syncs_per_second } = environment;
  console.log(`${cpu}, ${cores} cores, ${memory_gib} GiB; ${system}; Node.js ${node}`);
  const sync = `${median_sync_ms.toFixed(3)} ms (median), ${figure(syncs_per_second)} syncs/s`;
  console.log(`Databases on ${file_system}; a durable 4 KiB append takes ${sync}`);
}

export function printTable(rows: readonly Row[]): void {
  const header = ['measurement', 'target', 'measured', 'reference', 'ratio', ''];
  const lines = [header, ...rows.map(cells)];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => padded(cell, column, widths))
      .join('  ')
      .trimEnd(),
  );
  console.log(['', ...text.slice(0, 1), '-'.repeat(text[0]?.length ?? 0), ...text.slice(1), ''].join('\n'));
  console.log('Figures are medians of the rounds; a ratio is the median of the ratios within each round.');
}

export function writeJson(
  { json, quick, rounds, seconds }: Options,
  environment: Environment,
  findings: Readonly<Record<string, Findings>>,
): void {
  mkdirSync(dirname(json), { recursive: true });
  const rows = Object.values(findings).flatMap((one) => one.rows);
  const raw = Object.fromEntries(Object.entries(findings).map(([group, one]) => [group, one.raw]));
  const report = {
    finished_at: new Date().toISOString(),
    options: { quick, rounds, seconds },
    environment,
    results: rows.map((row) => ({ ...row, verdict: verdictOf(row) })),
    raw,
  };
  writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
}

function cells(row: Row): string[] {
  const { name, value, unit, reference, ratio, target } = row;
  return [
    name,
    target ? targetText(target, unit) : '',
    value === undefined ? 'not measured' : `${figure(value)} ${unit}`,
    reference === undefined ? '' : `${figure(reference)} ${unit}`,
    ratio === undefined ? '' : ratio.toFixed(3),
    verdictOf(row),
  ];
}

function targetText({ bound, of, limit }: Target, unit: string): string {
  const sign = bound === 'at least' ? '≥' : '≤';
  return of === 'ratio' ? `${sign} ${limit} of ref.` : `${sign} ${figure(limit)} ${unit}`;
}

/** Texts stand left, figures right. */
function padded(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? 0;
  return column === 2 || column === 3 || column === 4 ? cell.padStart(width) : cell.padEnd(width);
}

function figure(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
