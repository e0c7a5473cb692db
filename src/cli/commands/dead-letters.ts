/** `dead-letters`: the events that projections could not apply, and what operators decide about them. */
import { segment } from '../bank/ask.ts';
import { field, figure, listTable, moment, plain, type View } from '../bank/table.ts';
import { askFor, outputFlags } from '../bank/verb.ts';
import type { Body } from '../bank-client.ts';
import { EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { defineGroup } from '../command-group.ts';
import { print } from '../terminal.ts';

const PATH = '/admin/dead-letters';
const json = { json: outputFlags.json };

const view: View = {
  plural: 'dead letters',
  id: 'id',
  path: () => PATH,
  columns: [
    field('Dead letter', 'id'),
    field('Projection', 'projection'),
    field('Event', 'event_type'),
    field('Stream', 'stream'),
    figure('Revision', 'revision'),
    figure('Tries', 'attempts'),
    moment('Since', 'dead_since'),
    field('Cause', 'cause'),
  ],
  details: [],
};

const list = defineCommand({
  name: 'dead-letters list',
  summary: 'List them, oldest first, at most 200.',
  options: outputFlags,
  async run(values) {
    const { text, body } = await askFor(values, { method: 'GET', path: `${PATH}?limit=200` });
    const items = Array.isArray(body.items) ? (body.items as Body[]) : [];
    if (values.json) print(text);
    else if (values.quiet) print(...items.map(({ id }) => plain(String(id))));
    else print(listTable(view, items));
    return EXIT.ok;
  },
});

const retry = defineCommand({
  name: 'dead-letters retry',
  summary: 'Try one again, or all of them.',
  options: {
    projection: { type: 'string', value: 'NAME', help: 'Without an ID: only those of this projection' },
    ...json,
  },
  positionals: ['[ID]'],
  run(values, [id]) {
    const { projection } = values;
    if (id !== undefined) return request(values, `${PATH}/${segment(id)}/retry`);
    return request(values, `${PATH}/retry`, projection === undefined ? {} : { projection });
  },
});

const discard = defineCommand({
  name: 'dead-letters discard',
  summary: 'Give one up; what only waited for it is applied.',
  options: { reason: { type: 'string', value: 'TEXT', help: 'Why, for the record' }, ...json },
  positionals: ['ID'],
  run: (values, [id = '']) => request(values, `${PATH}/${segment(id)}/discard`, { reason: values.reason }),
});

async function request(values: { json?: boolean }, path: string, body?: Body): Promise<number> {
  const answer = await askFor(values, { method: 'POST', path, ...(body ? { body } : {}) });
  const { action, projections } = answer.body;
  const names = Array.isArray(projections) ? projections.join(', ') : '';
  print(values.json ? answer.text : plain(names === '' ? 'There are none.' : `${action}: ${names}`));
  return EXIT.ok;
}

export const deadLetters = defineGroup({
  name: 'dead-letters',
  summary: 'The events that projections could not apply.',
  commands: [list, retry, discard],
});
