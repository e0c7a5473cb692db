/** `account`: open, show, list, freeze and close accounts, their transactions, limits, terms and holds; how they were. */
import { segment } from '../bank/ask.ts';
import {
  change,
  guardedFlags,
  outputFlags,
  pageFlags,
  queryOf,
  showOne,
  showPage,
  writeFlags,
} from '../bank/verb.ts';
import { accountMomentView, accountView, postingView } from '../bank/views.ts';
import { defineCommand } from '../command.ts';
import { defineGroup } from '../command-group.ts';
import { hold } from './account-hold.ts';
import { balance, changes, pointFlags } from './account-past.ts';
import { freeze, limits, terms, unfreeze } from './account-rules.ts';

const open = defineCommand({
  name: 'account open',
  summary: 'Open an account for a registered person.',
  options: {
    type: { type: 'string', value: 'TYPE', help: 'checking (default) or savings' },
    currency: { type: 'string', value: 'CODE', help: "ISO 4217, such as EUR (default: the bank's)" },
    'overdraft-limit': { type: 'string', value: 'AMOUNT', help: 'How far the balance may go below zero' },
    'initial-balance': { type: 'string', value: 'AMOUNT', help: 'Deposited in the same step' },
    ...writeFlags,
  },
  positionals: ['OWNER'],
  run(values, [owner_id]) {
    const body = {
      owner_id,
      account_type: values.type?.toUpperCase(),
      currency: values.currency?.toUpperCase(),
      overdraft_limit: values['overdraft-limit'],
      initial_balance: values['initial-balance'],
    };
    return change(values, { method: 'POST', path: '/accounts', body }, accountView);
  },
});

const show = defineCommand({
  name: 'account show',
  summary: 'Show an account with its balance, now or as it was.',
  options: { ...pointFlags, ...outputFlags },
  positionals: ['ACCOUNT'],
  run({ at, revision, ...values }, [account = '']) {
    const path = `/accounts/${segment(account)}`;
    if (at === undefined && revision === undefined) return showOne(values, path, accountView);
    return showOne(values, `${path}/state${queryOf({ at, revision })}`, accountMomentView);
  },
});

const list = defineCommand({
  name: 'account list',
  summary: 'List accounts, oldest first.',
  options: {
    owner: { type: 'string', value: 'PERSON', help: 'Only the accounts of this person' },
    ...pageFlags,
  },
  run(values) {
    const { owner } = values;
    const path = owner === undefined ? '/accounts' : `/accounts/by-owner/${segment(owner)}`;
    return showPage(values, path, accountView);
  },
});

const transactions = defineCommand({
  name: 'account transactions',
  summary: "List an account's transactions, newest first.",
  options: pageFlags,
  positionals: ['ACCOUNT'],
  run: (values, [account = '']) =>
    showPage(values, `/accounts/${segment(account)}/transactions`, postingView),
});

const limit = defineCommand({
  name: 'account limit',
  summary: 'Change how far the balance may go below zero.',
  options: guardedFlags,
  positionals: ['ACCOUNT', 'AMOUNT'],
  run(values, [account = '', overdraft_limit]) {
    const path = `/accounts/${segment(account)}/overdraft-limit`;
    return change(values, { method: 'PUT', path, body: { overdraft_limit } }, accountView);
  },
});

const close = defineCommand({
  name: 'account close',
  summary: 'Close an account whose balance is zero, for good.',
  options: {
    reason: { type: 'string', value: 'TEXT', help: 'Why it is closed (required)' },
    ...guardedFlags,
  },
  positionals: ['ACCOUNT'],
  run(values, [account = '']) {
    const path = `/accounts/${segment(account)}/close`;
    return change(values, { method: 'POST', path, body: { reason: values.reason } }, accountView);
  },
});

export const account = defineGroup({
  name: 'account',
  summary: 'Open, show, list, freeze and close accounts; their transactions, limits, terms and holds.',
  commands: [
    open,
    show,
    list,
    balance,
    changes,
    transactions,
    limit,
    limits,
    terms,
    freeze,
    unfreeze,
    close,
    hold,
  ],
});
