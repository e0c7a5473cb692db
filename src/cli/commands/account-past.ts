/** `account balance` and `account changes`: an account as it was, and what changed between two moments. */
import { segment } from '../bank/ask.ts';
import { field, figure, listTable, moment, type View } from '../bank/table.ts';
import { askFor, outputFlags, pageFlags, queryOf, showOne } from '../bank/verb.ts';
import { balanceView } from '../bank/views.ts';
import type { Body } from '../bank-client.ts';
import { EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { print } from '../terminal.ts';

/** Flags that name a moment. */
export const pointFlags = {
  at: { type: 'string', value: 'TIME', help: 'As it was then: 2026-01-31T23:59:59Z, or with another offset' },
  revision: { type: 'string', value: 'N', help: 'As it was right after the event of this revision' },
} as const;

export const balance = defineCommand({
  name: 'account balance',
  summary: "Show an account's balance now, at a time, or at a revision.",
  options: { ...pointFlags, json: outputFlags.json },
  positionals: ['ACCOUNT'],
  run({ json, ...point }, [account = '']) {
    const path = `/accounts/${segment(account)}/balance${queryOf(point)}`;
    return showOne(json ? { json } : {}, path, balanceView);
  },
});

const changesView: View = {
  plural: 'changes',
  id: 'field',
  path: () => '',
  details: [],
  columns: [field('Field', 'field'), figure('Before', 'before'), figure('After', 'after')],
};

const eventsView: View = {
  plural: 'events in between',
  id: 'id',
  path: () => '',
  details: [],
  columns: [
    figure('Revision', 'revision'),
    { title: 'Happened', cell: ({ metadata }) => moment('', 'timestamp').cell(metadata as Body) },
    field('Event', 'type'),
    { title: 'Changed', cell: ({ changes }) => namesOf(changes) },
  ],
};

export const changes = defineCommand({
  name: 'account changes',
  summary: 'Show what changed in an account between two moments, and the events in between.',
  details: `Without --from it begins with the opening, without --to it ends now. An event at exactly --to counts, one at
exactly --from does not: the account at that time has seen it.`,
  options: {
    from: { type: 'string', value: 'TIME', help: 'What changed after this time' },
    to: { type: 'string', value: 'TIME', help: 'Up to this time' },
    'from-revision': {
      type: 'string',
      value: 'N',
      help: 'Instead of --from: after the event of this revision',
    },
    'to-revision': { type: 'string', value: 'N', help: 'Instead of --to: up to the event of this revision' },
    limit: pageFlags.limit,
    cursor: pageFlags.cursor,
    json: outputFlags.json,
  },
  positionals: ['ACCOUNT'],
  async run(values, [account = '']) {
    const { json, from, to, limit, cursor } = values;
    const revisions = { from_revision: values['from-revision'], to_revision: values['to-revision'] };
    const path = `/accounts/${segment(account)}/changes${queryOf({ from, to, ...revisions, limit, cursor })}`;
    const { text, body } = await askFor(values, { method: 'GET', path });
    if (json) print(text);
    else print(listTable(changesView, listOf(body.changes)), '', listTable(eventsView, listOf(body.events)));
    if (!json && body.next_cursor !== undefined) {
      process.stderr.write(`There are more events: --cursor ${field('', 'next_cursor').cell(body)}\n`);
    }
    return EXIT.ok;
  },
});

function namesOf(changes: unknown): string {
  return listOf(changes)
    .map((change) => field('', 'field').cell(change))
    .join(', ');
}

function listOf(value: unknown): readonly Body[] {
  return Array.isArray(value) ? (value as readonly Body[]) : [];
}
