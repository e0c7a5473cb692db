/** `account freeze`, `unfreeze`, `limits` and `terms`: what an account may do, and what it costs and earns. */
import { segment } from '../bank/ask.ts';
import { change, guardedFlags } from '../bank/verb.ts';
import { accountView } from '../bank/views.ts';
import { defineCommand } from '../command.ts';

export const freeze = defineCommand({
  name: 'account freeze',
  summary: 'Stop money going out, coming in, or both.',
  options: {
    scope: { type: 'string', value: 'SCOPE', help: 'debits, credits or all (default)' },
    reason: { type: 'string', value: 'TEXT', help: 'Why it is frozen (required)' },
    ...guardedFlags,
  },
  positionals: ['ACCOUNT'],
  run(values, [account = '']) {
    const { scope = 'all', reason } = values;
    const body = { scope: scope.toUpperCase(), reason };
    return change(values, { method: 'POST', path: pathOf(account, 'freeze'), body }, accountView);
  },
});

export const unfreeze = defineCommand({
  name: 'account unfreeze',
  summary: 'End the freeze of an account.',
  options: {
    reason: { type: 'string', value: 'TEXT', help: 'Why it is free again (required)' },
    ...guardedFlags,
  },
  positionals: ['ACCOUNT'],
  run(values, [account = '']) {
    const body = { reason: values.reason };
    return change(values, { method: 'POST', path: pathOf(account, 'unfreeze'), body }, accountView);
  },
});

export const limits = defineCommand({
  name: 'account limits',
  summary: 'Set what customers may take out at once and in a day.',
  details: 'Both are set; the one that is left out is no limit.',
  options: {
    transaction: { type: 'string', value: 'AMOUNT', help: 'The most that one debit may be' },
    daily: { type: 'string', value: 'AMOUNT', help: 'The most that may go out in a UTC day' },
    ...guardedFlags,
  },
  positionals: ['ACCOUNT'],
  run(values, [account = '']) {
    const body = { transaction_limit: values.transaction, daily_limit: values.daily };
    return change(values, { method: 'PUT', path: pathOf(account, 'limits'), body }, accountView);
  },
});

export const terms = defineCommand({
  name: 'account terms',
  summary: 'Set interest rates and the monthly fee.',
  details:
    'All of them are set; what is left out is zero. Rates are percent a year, with up to four decimals.',
  options: {
    'credit-rate': { type: 'string', value: 'PERCENT', help: 'On a balance above zero' },
    'overdraft-rate': { type: 'string', value: 'PERCENT', help: 'On a balance below zero' },
    'monthly-fee': { type: 'string', value: 'AMOUNT', help: 'Charged for each month' },
    ...guardedFlags,
  },
  positionals: ['ACCOUNT'],
  run(values, [account = '']) {
    const body = {
      credit_rate: values['credit-rate'],
      overdraft_rate: values['overdraft-rate'],
      monthly_fee: values['monthly-fee'],
    };
    return change(values, { method: 'PUT', path: pathOf(account, 'terms'), body }, accountView);
  },
});

function pathOf(account: string, route: 'freeze' | 'unfreeze' | 'limits' | 'terms'): string {
  return `/accounts/${segment(account)}/${route}`;
}
