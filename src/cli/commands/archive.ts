/** `archive`: close the books of accounts, move old events into the archive, and look after it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkArchive, StoreError } from '../../store-tools/check-archive.ts';
import type { Success } from '../bank/ask.ts';
import { detailsTable, field, figure, listTable, moment, plain, type View } from '../bank/table.ts';
import { askFor } from '../bank/verb.ts';
import type { Body } from '../bank-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand, wholeNumber } from '../command.ts';
import { defineGroup } from '../command-group.ts';
import { readConfig } from '../project.ts';
import { formatCount, paint, print, printJson } from '../terminal.ts';

const PATH = '/admin/archive';
const LOOK_MS = 200;
const json = { json: { type: 'boolean', help: "Print the API's answer as it is" } } as const;

const volumes: View = {
  plural: 'volumes',
  id: 'volume',
  path: () => PATH,
  columns: [
    field('Volume', 'volume'),
    figure('Accounts', 'streams'),
    figure('Events', 'events'),
    figure('Bytes', 'bytes'),
    moment('Written', 'created_at'),
    field('Cut', 'cut'),
  ],
  details: [],
};

const RUN = [
  field('Run', 'run_id'),
  field('State', 'state'),
  field('Up to', 'up_to'),
  field('Examined', 'examined'),
  field('Accounts', 'accounts'),
  field('Events', 'events'),
  field('Skipped', 'skipped'),
  field('Volume', 'volume'),
];

const run = defineCommand({
  name: 'archive run',
  summary: 'Close the books of accounts with many events, and archive what came before.',
  details: `Waits for the end of the run. What is archived is read as before; see docs/archive.md. A run may be repeated, and
goes on where one was interrupted. Exit code: 1 when it failed; then nothing is lost.`,
  options: {
    'up-to': {
      type: 'string',
      value: 'TIME',
      help: 'End of the period, as 2026-12-31T23:59:59Z: accounts with enough events by then (default now)',
    },
    'min-events': { type: 'string', value: 'N', help: 'Events that make an account worth it (default 1000)' },
    accounts: { type: 'string', value: 'N', help: 'Accounts at most (default 10000)' },
    'dry-run': { type: 'boolean', help: 'Only count what would be archived' },
    ...json,
  },
  async run(values) {
    const body: Body = {
      ...(values['up-to'] === undefined ? {} : { up_to: values['up-to'] }),
      min_events: wholeNumber('--min-events', values['min-events'], { fallback: 1_000, min: 2, max: 1e9 }),
      accounts_max: wholeNumber('--accounts', values.accounts, { fallback: 10_000, min: 1, max: 100_000 }),
      dry_run: values['dry-run'] === true,
    };
    const started = await askFor(values, { method: 'POST', path: '/admin/archive-runs', body });
    const ended = await endOf(values, started);
    if (values.json) printJson(ended);
    else print(detailsTable({ details: RUN }, ended));
    if (ended.state === 'FAILED') throw new CliError(failureOf(ended));
    if (ended.more === true && !values.json) print('', 'There are more accounts: run it again.');
    return EXIT.ok;
  },
});

const status = defineCommand({
  name: 'archive status',
  summary: 'Tell what is in the archive, and how the newest run is doing.',
  options: json,
  async run(values) {
    const { text, body } = await askFor(values, { method: 'GET', path: PATH });
    if (values.json) {
      print(text);
      return EXIT.ok;
    }
    const items = Array.isArray(body.volumes) ? (body.volumes as Body[]) : [];
    print(listTable(volumes, items));
    if (isBody(body.run)) print('', detailsTable({ details: RUN }, body.run));
    return EXIT.ok;
  },
});

const verify = defineCommand({
  name: 'archive verify',
  summary: 'Read all of the archive, and hold it against its checksums.',
  details: `Reads the store of OPENBANK_EVENT_STORE and the directory of OPENBANK_ARCHIVE_DIR, also while the bank runs. Exit
code: 1 when a volume is missing or altered.`,
  options: { json: { type: 'boolean', help: 'Print the result as JSON' } },
  async run(values) {
    const checked = await Array.fromAsync(damagesIn());
    const damaged = checked.filter(({ damage }) => damage !== undefined);
    if (values.json) printJson({ volumes: checked });
    else for (const { volume, events, damage } of checked) print(lineOf(volume, events, damage));
    if (damaged.length > 0) throw new CliError(`Damaged volumes: ${damaged.length} of ${checked.length}.`);
    if (!values.json) print(`Volumes that are as they were written: ${checked.length}`);
    return EXIT.ok;
  },
});

async function* damagesIn() {
  try {
    for await (const { record, damage } of checkArchive(readConfig())) {
      yield { volume: record.volume, events: record.events, ...(damage === undefined ? {} : { damage }) };
    }
  } catch (error) {
    if (error instanceof StoreError) throw new CliError(error.message);
    throw error;
  }
}

function lineOf(volume: string, events: number, damage: string | undefined): string {
  const what = `${volume}, ${formatCount(events)} events`;
  return damage === undefined ? `${paint('green', '●')} ${what}` : `${paint('red', '●')} ${what}: ${damage}`;
}

/** Looks at the run until it has ended. A bank that was started again does not know it any more. */
async function endOf(values: { readonly json?: boolean }, { body: started }: Success): Promise<Body> {
  for (;;) {
    const { body } = await askFor(values, { method: 'GET', path: PATH });
    const current = body.run;
    if (!isBody(current) || current.run_id !== started.run_id) {
      throw new CliError('The bank was started again during the run: run it again, and it goes on.');
    }
    if (current.state !== 'RUNNING') return current;
    await sleep(LOOK_MS);
  }
}

function failureOf({ error }: Body): string {
  const detail = isBody(error) ? plain(String(error.detail)) : 'The log says why.';
  return `The run failed: ${detail} Nothing is lost; the next run goes on.`;
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null;
}

export const archive = defineGroup({
  name: 'archive',
  summary: 'Close books, and move old events into the archive.',
  commands: [run, status, verify],
});
