/** `streams`: how the event streams are, all together, the remarkable ones, and each. */
import { segment } from '../bank/ask.ts';
import {
  detailsTable,
  type Field,
  field,
  figure,
  listTable,
  moment,
  plain,
  type View,
} from '../bank/table.ts';
import { askFor, pageFlags, showOne, showPage } from '../bank/verb.ts';
import type { Body } from '../bank-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { print } from '../terminal.ts';

const PATH = '/admin/stream-health';

const list = (value: unknown): readonly Body[] => (Array.isArray(value) ? (value as readonly Body[]) : []);

const problems: Field = {
  title: 'Problems',
  cell: ({ problems: found }) => (Array.isArray(found) ? plain(found.join(', ')) : ''),
};

/** A member of the snapshot, where snapshots were looked at. */
const ofSnapshot = (title: string, name: string): Field => ({
  ...figure(title, name),
  cell: ({ snapshot }) => (snapshot ? figure(title, name).cell(snapshot as Body) : ''),
});

const view: View = {
  plural: 'such streams',
  id: 'stream',
  path: ({ stream }) => `/admin/streams/${segment(String(stream))}/health`,
  columns: [
    field('Stream', 'stream'),
    figure('Length', 'length'),
    figure('Bytes', 'bytes'),
    figure('A day', 'events_per_day'),
    moment('Newest event', 'last_event_at'),
    figure('Quiet days', 'quiet_days'),
    problems,
  ],
  details: [
    field('Stream', 'stream'),
    field('Kind', 'category'),
    field('Length', 'length'),
    field('First revision', 'first_revision'),
    field('Events', 'events'),
    field('Bytes', 'bytes'),
    moment('First event', 'first_event_at'),
    event('', 'first_event'),
    moment('Newest event', 'last_event_at'),
    event('', 'last_event'),
    field('Age in days', 'age_days'),
    field('Quiet days', 'quiet_days'),
    field('Events of 7 days', 'events_last_7_days'),
    field('Events a day', 'events_per_day'),
    ofSnapshot('Snapshot at', 'revision'),
    ofSnapshot('Snapshot lag', 'lag'),
    problems,
    {
      title: 'Faults',
      cell: ({ faults }) =>
        list(faults)
          .map((one) =>
            plain(`${one.fault}: ${one.count}, newest ${one.newest_type} at ${one.newest_revision}`),
          )
          .join('; '),
    },
    {
      title: 'Gaps',
      cell: ({ gaps }) =>
        list(gaps)
          .map((one) => `${one.after_revision} to ${one.next_revision}${one.cut_off ? ' (cut off)' : ''}`)
          .join(', '),
    },
  ],
};

/** The type and id of an event, on a line of its own. */
function event(title: string, name: string): Field {
  return {
    title,
    cell({ [name]: found }) {
      if (typeof found !== 'object' || found === null) return '';
      const { type, id } = found as Body;
      return plain(`${type} ${id}`);
    },
  };
}

const laggingView: View = {
  ...view,
  columns: [
    field('Stream', 'stream'),
    figure('Length', 'length'),
    ofSnapshot('Snapshot at', 'revision'),
    ofSnapshot('Lag', 'lag'),
  ],
};

const orphanView: View = {
  plural: 'orphan transfers',
  id: 'id',
  path: ({ id }) => `/transfers/${id}`,
  columns: [
    field('Transfer', 'id'),
    field('Status', 'status'),
    figure('Amount', 'amount'),
    field('Currency', 'currency'),
    moment('Newest step', 'updated_at'),
  ],
  details: [],
};

const kinds: readonly Field[] = [
  field('Kind', 'category'),
  figure('Streams', 'streams'),
  figure('Events', 'events'),
  figure('Bytes', 'bytes'),
  { title: 'Lengths', cell: ({ lengths }) => distribution(list(lengths)) },
  {
    title: 'With faults',
    right: true,
    cell: ({ with_faults }) => field('', 'any').cell((with_faults ?? {}) as Body),
  },
];

/** Such as `≤10: 5, ≤50: 2`. */
function distribution(lengths: readonly Body[]): string {
  const used = lengths.filter(({ streams: some }) => Number(some) > 0);
  return used
    .map(({ up_to, streams: some }) => `${up_to === null ? 'longer' : `≤${up_to}`}: ${some}`)
    .join(', ');
}

const LISTS = ['longest', 'stale', 'problems', 'snapshot-lag', 'orphans'] as const;

export const streams = defineCommand({
  name: 'streams',
  summary: 'Show how the event streams are; the longest, stale and problematic ones.',
  details: `Without a NAME or a list: how many streams there are, how long they are, and the ten longest.
With a NAME, such as bank-account-01990d2e7c1b7a529d5e0c8f7f4b1a02: that stream.`,
  options: {
    longest: { type: 'boolean', help: 'The longest ones' },
    stale: { type: 'boolean', help: 'Open accounts and unfinished transfers that are quiet' },
    days: { type: 'string', value: 'N', help: 'With --stale: for so many days (default 30)' },
    problems: { type: 'boolean', help: 'Those with a gap, or with events that cannot be read' },
    'snapshot-lag': { type: 'boolean', help: 'Accounts with too many events behind their newest snapshot' },
    orphans: { type: 'boolean', help: 'Unfinished transfers that nobody seems to drive' },
    minutes: { type: 'string', value: 'N', help: 'With --orphans: without a step for so long (default 5)' },
    category: { type: 'string', value: 'KIND', help: 'person, bank-account or transfer' },
    ...pageFlags,
  },
  positionals: ['[NAME]'],
  async run({ category, days, minutes, ...values }, [name]) {
    const [chosen, ...more] = LISTS.filter((one) => values[one]);
    if (more.length > 0 || (chosen && name !== undefined))
      throw new CliError('streams takes a NAME or one list, not several.', EXIT.usage);
    if (name !== undefined) return showOne(values, `/admin/streams/${segment(name)}/health`, view);
    if (chosen === undefined) return summary(values);
    if (chosen === 'orphans') return showPage(values, `${PATH}/orphan-transfers`, orphanView, { minutes });
    const shown = chosen === 'snapshot-lag' ? laggingView : view;
    const filter = { list: chosen.replace('-', '_'), category, days };
    return showPage(values, `${PATH}/streams`, shown, filter);
  },
});

async function summary(values: { readonly json?: boolean; readonly quiet?: boolean }): Promise<number> {
  const { text, body } = await askFor(values, { method: 'GET', path: PATH });
  const longest = list(body.longest);
  if (values.json) print(text);
  else if (values.quiet) print(...longest.map(({ stream }) => plain(String(stream))));
  else {
    print(listTable({ columns: kinds, plural: 'streams' }, list(body.categories)));
    print('', listTable(view, longest));
    print('', detailsTable({ details: [field('Orphan transfers', 'orphan_transfers')] }, body));
  }
  return EXIT.ok;
}
