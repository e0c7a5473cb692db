/** `account hold`: set money aside, take it, give it back. */
import { segment } from '../bank/ask.ts';
import { change, guardedFlags, pageFlags, showPage } from '../bank/verb.ts';
import { accountView, holdView, postingView } from '../bank/views.ts';
import { defineCommand } from '../command.ts';
import { defineGroup } from '../command-group.ts';

const place = defineCommand({
  name: 'account hold place',
  summary: 'Set money of an account aside.',
  options: {
    description: { type: 'string', short: 'd', value: 'TEXT', help: 'What it is for (default Hold)' },
    'expires-at': {
      type: 'string',
      value: 'TIME',
      help: 'When it ends by itself, at most 366 days ahead, such as 2030-01-31T12:00:00Z',
    },
    ...guardedFlags,
  },
  positionals: ['ACCOUNT', 'AMOUNT'],
  run(values, [account = '', amount]) {
    const { description = 'Hold', 'expires-at': expires_at } = values;
    const body = { amount, description, expires_at };
    return change(values, { method: 'POST', path: `/accounts/${segment(account)}/holds`, body }, holdView);
  },
});

const capture = defineCommand({
  name: 'account hold capture',
  summary: 'Take what is held, or a part of it, out of the account.',
  options: {
    amount: { type: 'string', value: 'AMOUNT', help: 'At most what is held (default: all of it)' },
    description: { type: 'string', short: 'd', value: 'TEXT', help: "What it is for (default: the hold's)" },
    ...guardedFlags,
  },
  positionals: ['ACCOUNT', 'HOLD'],
  run(values, [account = '', hold = '']) {
    const { amount, description } = values;
    const path = `${pathOf(account, hold)}/capture`;
    return change(values, { method: 'POST', path, body: { amount, description } }, postingView);
  },
});

const release = defineCommand({
  name: 'account hold release',
  summary: 'Make what is held available again.',
  options: guardedFlags,
  positionals: ['ACCOUNT', 'HOLD'],
  run(values, [account = '', hold = '']) {
    return change(values, { method: 'POST', path: `${pathOf(account, hold)}/release` }, accountView);
  },
});

const list = defineCommand({
  name: 'account hold list',
  summary: "List an account's holds, newest first.",
  options: {
    status: { type: 'string', value: 'STATUS', help: 'Only these: open, captured, released or expired' },
    ...pageFlags,
  },
  positionals: ['ACCOUNT'],
  run(values, [account = '']) {
    const status = values.status?.toUpperCase();
    return showPage(values, `/accounts/${segment(account)}/holds`, holdView, { status });
  },
});

function pathOf(account: string, hold: string): string {
  return `/accounts/${segment(account)}/holds/${segment(hold)}`;
}

export const hold = defineGroup({
  name: 'account hold',
  summary: 'Set money aside, take it, give it back.',
  commands: [place, capture, release, list],
});
