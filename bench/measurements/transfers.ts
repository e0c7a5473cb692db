/** Transfers per second, each durable and complete before its answer, between many accounts and between ten hot ones. */
import { type Bench, type Contender, interleave } from '../bench.ts';
import type { LoadTarget } from '../load.ts';
import type { Findings, Row } from '../report.ts';
import { durableRun, type SeededServer, startSeeded } from '../seeded-server.ts';
import { type Server, untilProjected } from '../servers.ts';
import { median, medianRatio } from '../statistics.ts';
import { bare, type DepositRun, type DepositRuns, ratesOf } from './deposits.ts';

const HOT_ACCOUNTS = 10;
/** Requested, debited and credited on the accounts, and debited, credited and completed in the transfer's own stream. */
const EVENTS_OF_A_TRANSFER = 6;
/** Small enough that no account runs out, however the dice fall. */
const AMOUNT = '0.01';

export async function measureTransfers(bench: Bench): Promise<Findings> {
  const servers: Server[] = [];
  try {
    const service = await startSeeded(bench, 'service');
    servers.push(service.server);
    const yardstick = await startSeeded(bench, 'bare');
    servers.push(yardstick.server);
    const runs: DepositRuns = await interleave(bench, [
      bare(bench, yardstick),
      between(bench, 'spread', service, service.accountIds),
      between(bench, 'hot', service, service.accountIds.slice(0, HOT_ACCOUNTS)),
    ]);
    return { rows: rowsOf(runs), raw: Object.fromEntries(runs) };
  } finally {
    for (const server of servers) await server.stop();
  }
}

function between(
  bench: Bench,
  name: string,
  service: SeededServer,
  accountIds: readonly string[],
): Contender<DepositRun> {
  const targets = transferTargets(accountIds);
  return {
    name,
    async run(seconds) {
      const run = await durableRun(bench, service, targets, seconds, {
        eventsPerAnswer: EVENTS_OF_A_TRANSFER,
      });
      await untilProjected(service.server);
      return run;
    },
  };
}

/** From each account to each of its next nine, in a ring: every account gives as often as it takes. */
function transferTargets(accountIds: readonly string[]): LoadTarget[] {
  return accountIds.flatMap((from_account_id, index) =>
    Array.from({ length: HOT_ACCOUNTS - 1 }, (_, step) => ({
      path: '/api/v1/transactions/transfer',
      body: JSON.stringify({
        from_account_id,
        to_account_id: accountIds[(index + step + 1) % accountIds.length],
        amount: AMOUNT,
        description: 'Rent',
      }),
    })),
  );
}

function rowsOf(runs: DepositRuns): Row[] {
  const [bareRates, spread, hot] = ['bare', 'spread', 'hot'].map((name) => ratesOf(runs, name)) as [
    number[],
    number[],
    number[],
  ];
  const ofSpread = (figure: (run: DepositRun) => number) => median((runs.get('spread') ?? []).map(figure));
  return [
    {
      name: 'Durable, complete transfers, to bare Fastify',
      value: median(spread),
      unit: '/s',
      reference: median(bareRates),
      ratio: medianRatio(spread, bareRates),
      target: { bound: 'at least', of: 'ratio', limit: 0.2 },
    },
    {
      name: 'Transfers among 10 accounts, to those among 1,000',
      value: median(hot),
      unit: '/s',
      reference: median(spread),
      ratio: medianRatio(hot, spread),
      target: { bound: 'at least', of: 'ratio', limit: 0.6 },
    },
    { name: '  latency p50 (64 clients)', value: ofSpread((run) => run.load.latencyMs.p50), unit: 'ms' },
    { name: '  latency p99', value: ofSpread((run) => run.load.latencyMs.p99), unit: 'ms' },
  ];
}
