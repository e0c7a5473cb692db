/** `projections` and `rebuild`: how the read models are, and what operators do about them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { segment } from '../bank/ask.ts';
import { field, figure, listTable, plain, type View } from '../bank/table.ts';
import { askFor, outputFlags } from '../bank/verb.ts';
import type { Body } from '../bank-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { print } from '../terminal.ts';

const PATH = '/admin/projections';
/** How often a command that waits looks again, in milliseconds. */
const LOOK_MS = 500;

const view: View = {
  plural: 'projections',
  id: 'name',
  path: () => PATH,
  columns: [
    field('Projection', 'name'),
    field('Group', 'group'),
    {
      title: 'Version',
      cell: ({ version, served_version, stale }) => versionText(version, served_version, stale),
    },
    field('State', 'state'),
    figure('Position', 'position'),
    figure('Lag', 'lag_events'),
    figure('Dead letters', 'dead_letters'),
    { title: 'Rebuild', cell: ({ rebuild }) => progress(rebuild as Body | null) },
  ],
  details: [],
};

function versionText(version: unknown, served: unknown, stale: unknown): string {
  const of = served === version || served === null ? `${version}` : `${version} (serves ${served})`;
  return stale ? `${of}, stale` : of;
}

function progress(rebuild: Body | null): string {
  if (!rebuild) return '';
  const { percent, events_per_second, seconds_left } = rebuild;
  const left = seconds_left === null ? '' : `, ${seconds_left} s left`;
  return `${percent} %, ${events_per_second} events/s${left}`;
}

async function list(): Promise<{ text: string; items: readonly Body[] }> {
  const { text, body } = await askFor({}, { method: 'GET', path: PATH });
  return { text, items: Array.isArray(body.items) ? (body.items as Body[]) : [] };
}

export const projections = defineCommand({
  name: 'projections',
  summary: 'Show the projections; pause or resume one.',
  details: 'ACTION is pause or resume; it is done to the whole group of the projection. See also rebuild.',
  options: outputFlags,
  positionals: ['[ACTION]', '[NAME]'],
  async run(values, [action, name]) {
    if (action !== undefined) {
      if (!['pause', 'resume'].includes(action) || name === undefined)
        throw new CliError('projections takes nothing, or pause or resume with a NAME.', EXIT.usage);
      return request(values, name, action);
    }
    const { text, items } = await list();
    if (values.json) print(text);
    else if (values.quiet) print(...items.map((one) => plain(String(one.name))));
    else print(listTable(view, items));
    return EXIT.ok;
  },
});

export const rebuild = defineCommand({
  name: 'rebuild',
  summary: 'Fill a projection anew beside what is served, and swap.',
  details: `NAME is a projection or its group; the whole group is rebuilt. Reads go on meanwhile. It ends when the new
documents are served; interrupting it leaves the rebuild to go on.`,
  options: {
    cancel: { type: 'boolean', help: 'Give up the rebuild that is under way' },
    'no-wait': { type: 'boolean', help: 'Ask for it, and do not wait for its end' },
    json: { type: 'boolean', help: "Print the API's answer as it is" },
  },
  positionals: ['NAME'],
  async run(values, [name = '']) {
    if (values.cancel) return request(values, name, 'cancel');
    const before = await find(name);
    const asked = await request(values, name, 'rebuild');
    if (!values['no-wait']) await untilServed(name, before?.served_build, values.json === true);
    return asked;
  },
});

async function request(values: { json?: boolean }, name: string, action: string): Promise<number> {
  const path = `${PATH}/${segment(name)}/${action}`;
  const { text, body } = await askFor(values, { method: 'POST', path });
  const names = Array.isArray(body.projections) ? body.projections.join(', ') : '';
  print(values.json ? text : plain(`${action}: ${names}`));
  return EXIT.ok;
}

async function find(name: string): Promise<Body | undefined> {
  return (await list()).items.find((item) => item.name === name || item.group === name);
}

/** Looks that may pass before whoever leads the projections has seen the request. */
const LOOKS_BEFORE_BEGIN = 20;

async function untilServed(name: string, build: unknown, quiet: boolean): Promise<void> {
  for (let idle = 0; idle < LOOKS_BEFORE_BEGIN; idle += 1) {
    await sleep(LOOK_MS);
    const one = await find(name);
    if (one?.served_build !== build) {
      if (!quiet) print('The new documents are served.');
      return;
    }
    if (!one?.rebuild) continue;
    idle = -1;
    // Paused, or retrying what fails: then it is told why nothing moves.
    const state = one.state === 'running' ? '' : `, ${one.state}`;
    if (!quiet) process.stderr.write(`${progress(one.rebuild as Body)}${state}\n`);
  }
  throw new CliError('The rebuild did not begin, or was cancelled: see ./openbank projections.');
}
