/** `deposit` and `withdraw`: money into an account and out of it. */
import { segment } from '../bank/ask.ts';
import { change, guardedFlags } from '../bank/verb.ts';
import { postingView } from '../bank/views.ts';
import { type Command, defineCommand } from '../command.ts';

export const deposit = definePosting({
  name: 'deposit',
  summary: 'Put money into an account.',
  description: 'Deposit',
});

export const withdraw = definePosting({
  name: 'withdraw',
  summary: 'Take money out of an account, within balance and overdraft limit.',
  description: 'Withdrawal',
});

/** The command's name is that of the route, too. */
function definePosting(verb: {
  readonly name: 'deposit' | 'withdraw';
  readonly summary: string;
  /** What the posting is for when nobody says. */
  readonly description: string;
}): Command {
  return defineCommand({
    name: verb.name,
    summary: verb.summary,
    options: {
      description: {
        type: 'string',
        short: 'd',
        value: 'TEXT',
        help: `What it is for (default ${verb.description})`,
      },
      ...guardedFlags,
    },
    positionals: ['ACCOUNT', 'AMOUNT'],
    run(values, [account = '', amount]) {
      const { description = verb.description } = values;
      const path = `/accounts/${segment(account)}/${verb.name}`;
      return change(values, { method: 'POST', path, body: { amount, description } }, postingView);
    },
  });
}
