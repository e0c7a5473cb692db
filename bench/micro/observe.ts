/** Nanoseconds that each observation costs on the way of a request, and what a page of metrics takes. */

import { CreateDeposit } from '../../src/application/commands/create-deposit.ts';
import { accept, type Decision } from '../../src/domain/decision.ts';
import { ServiceMetrics } from '../../src/metrics/service-metrics.ts';

const REPEATS = 1_000_000;
const ROUTES = 30;
const STATUSES = [200, 201, 404, 422];

const metrics = new ServiceMetrics({ version: '0.0.0', role: 'all', node: 'here' });
const repository = metrics.repository('BankAccount');
const seconds = (index: number) => (index % 100) / 10_000;

await cost('HTTP request: begin and end', (index) => {
  metrics.requests.onRequest();
  metrics.requests.onAnswer('POST', '/api/v1/transactions/deposit', 201, seconds(index));
});
await cost('append', (index) => repository.onAppend('ok', 1, seconds(index)));
await cost('look-up of an aggregate', () => repository.onLookup(true));

const context = { correlation_id: 'one', causation_id: 'one' };
const decided: Promise<Decision<unknown>> = Promise.resolve(accept(undefined));
const next = () => decided;
await cost('command through the pipeline, awaited', () => metrics.messages(CreateDeposit, {}, context, next));
await cost('the same without counting, awaited', () => next());

for (let route = 0; route < ROUTES; route += 1)
  for (const status of STATUSES) metrics.requests.onAnswer('GET', `/api/v1/routes/${route}`, status, 0.001);
const startedAt = performance.now();
const { text } = await metrics.page();
const milliseconds = (performance.now() - startedAt).toFixed(1);
console.log(`a page of ${text.split('\n').length} lines, ${text.length} bytes: ${milliseconds} ms`);

async function cost(name: string, work: (index: number) => unknown): Promise<void> {
  const repeat = async () => {
    for (let index = 0; index < REPEATS; index += 1) {
      const result = work(index);
      if (result instanceof Promise) await result;
    }
  };
  await repeat();
  const startedAt = performance.now();
  await repeat();
  const nanoseconds = ((performance.now() - startedAt) / REPEATS) * 1e6;
  console.log(`${name.padEnd(48)} ${nanoseconds.toFixed(0).padStart(6)} ns`);
}
