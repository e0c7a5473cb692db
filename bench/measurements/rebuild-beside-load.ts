/** What a rebuild of all read models beside it costs a loaded API, and how fast the rebuild is then. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectionGroups } from '../../src/projections/index.ts';
import { ACCOUNTS, type Bench, type Contender, databases, depositTargets, interleave } from '../bench.ts';
import type { Findings } from '../report.ts';
import { seed } from '../seed.ts';
import { type DurableRun, durableRun, type SeededServer } from '../seeded-server.ts';
import { type Server, startServer, untilProjected } from '../servers.ts';
import { median, medianRatio } from '../statistics.ts';

const KIND = 'service';
/** A rebuild that came to its end within a run would have left the API alone for the rest of it. */
const DEPOSITS_PER_SECOND_OF_LOAD = 60_000;

interface Run extends DurableRun {
  /** Events that the rebuild went through in a second; 0 without one. */
  readonly rebuilt: number;
}

interface ProjectionStatus {
  readonly rebuild: { readonly position: string } | null;
}

/** @returns deposits with a rebuild beside them, compared with those without, in turn on one service */
export async function measureRebuildBesideLoad(bench: Bench): Promise<Findings> {
  const seeded = await startWithHistory(bench);
  try {
    await untilProjected(seeded.server);
    const runs = await interleave(bench, [alone(bench, seeded), beside(bench, seeded)]);
    const rates = (name: string) => (runs.get(name) ?? []).map((run) => run.load.rate);
    const rebuilt = (runs.get('beside') ?? []).map((run) => run.rebuilt);
    return {
      rows: [
        {
          name: 'Durable deposits with a rebuild beside them, to those without',
          value: median(rates('beside')),
          unit: '/s',
          reference: median(rates('alone')),
          ratio: medianRatio(rates('beside'), rates('alone')),
          target: { bound: 'at least', of: 'ratio', limit: 0.8 },
        },
        { name: '  the rebuild meanwhile', value: median(rebuilt), unit: 'events/s' },
      ],
      raw: Object.fromEntries(runs),
    };
  } finally {
    await seeded.server.stop();
  }
}

async function startWithHistory({ dir, options }: Bench): Promise<SeededServer> {
  const dataDir = join(dir, 'rebuild-beside-load');
  const paths = databases(dataDir);
  const accountIds = await seed(paths.events, ACCOUNTS, options.seconds * DEPOSITS_PER_SECOND_OF_LOAD, {
    depositsPerAppend: 20,
  });
  return { server: await startServer(KIND, dataDir), accountIds, paths };
}

function alone(bench: Bench, seeded: SeededServer): Contender<Run> {
  const targets = depositTargets(seeded.accountIds);
  return {
    name: 'alone',
    async run(seconds) {
      const run = await durableRun(bench, seeded, targets, seconds);
      await untilProjected(seeded.server);
      return { ...run, rebuilt: 0 };
    },
  };
}

function beside(bench: Bench, seeded: SeededServer): Contender<Run> {
  const { server, accountIds } = seeded;
  const targets = depositTargets(accountIds);
  return {
    name: 'beside',
    async run(seconds) {
      await forEachGroup(server, 'rebuild');
      const before = await untilUnderWay(server);
      const startedAt = performance.now();
      const run = await durableRun(bench, seeded, targets, seconds);
      const after = await progress(server);
      const rebuilt = ((after - before) * 1_000) / (performance.now() - startedAt);
      await forEachGroup(server, 'cancel');
      await untilProjected(server);
      return { ...run, rebuilt };
    },
  };
}

async function forEachGroup(server: Server, what: 'rebuild' | 'cancel'): Promise<void> {
  for (const { name } of projectionGroups) {
    const response = await fetch(urlOf(server, `/${name}/${what}`), { method: 'POST' });
    if (!response.ok) throw new Error(`${what} of ${name} was answered ${response.status}`);
  }
}

/** @returns where all of them are */
async function untilUnderWay(server: Server): Promise<number> {
  for (;;) {
    const reached = await progress(server);
    if (reached > 0) return reached;
    await sleep(20);
  }
}

/** The position of the rebuild that is furthest behind; 0 before all are under way. */
async function progress(server: Server): Promise<number> {
  const { items } = (await (await fetch(urlOf(server))).json()) as { items: ProjectionStatus[] };
  return Math.min(...items.map(({ rebuild }) => Number(rebuild?.position ?? 0)));
}

function urlOf({ port }: Server, path = ''): string {
  return `http://127.0.0.1:${port}/admin/projections${path}`;
}
