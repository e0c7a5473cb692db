/** Metrics of the worker that keeps the read models: its problems, and what it leads. */
import { Gauge, type Registry } from 'prom-client';
import { registerTally, type Tally } from './tally.ts';

const PROBLEMS = [
  'retrying',
  'dead_letter',
  'rebuilding',
  'worker_died',
  'leases_unreachable',
  'publisher',
  'transfers',
  'timers',
] as const;

/** What a worker reports: a problem, or that it begins or ends to lead a piece of work. */
export type WorkerReport =
  | { readonly kind: (typeof PROBLEMS)[number] }
  | { readonly kind: 'leading' | 'leading_ended'; readonly work: string };

/** @returns takes the reports of the worker that belongs to this process */
export function workerMetrics(registry: Registry): (report: WorkerReport) => void {
  const problemsOf = registerTally(registry, {
    name: 'openbank_worker_problems_total',
    help: 'Problems of the worker, by kind: retrying, dead_letter, rebuilding, worker_died, leases_unreachable, publisher, transfers, timers.',
    labelNames: ['kind'],
  });
  const leading = new Gauge({
    name: 'openbank_worker_leading',
    help: 'Whether this process leads a piece of the work that workers share: 1 or 0.',
    labelNames: ['work'],
    registers: [registry],
  });
  const problems = Object.fromEntries(PROBLEMS.map((kind) => [kind, problemsOf({ kind })])) as Record<
    (typeof PROBLEMS)[number],
    Tally
  >;
  return (report) => {
    if (report.kind === 'leading' || report.kind === 'leading_ended') {
      leading.set({ work: report.work }, report.kind === 'leading' ? 1 : 0);
      return;
    }
    problems[report.kind].add(1);
    // Its last words did not come: whatever it led is led by others, or by nobody.
    if (report.kind === 'worker_died') leading.reset();
  };
}
