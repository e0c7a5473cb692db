/** `snapshot`: what shortens the loading of an account. */
import { segment } from '../bank/ask.ts';
import { outputFlags, showNew, showPage } from '../bank/verb.ts';
import { snapshotTakenView, snapshotView } from '../bank/views.ts';
import { defineCommand } from '../command.ts';
import { defineGroup } from '../command-group.ts';

const take = defineCommand({
  name: 'snapshot take',
  summary: 'Take a snapshot of an account now.',
  options: outputFlags,
  positionals: ['ACCOUNT'],
  run(values, [account = '']) {
    return showNew(values, { method: 'POST', path: pathOf(account) }, snapshotTakenView);
  },
});

const list = defineCommand({
  name: 'snapshot list',
  summary: 'List the snapshots that are kept of an account.',
  options: outputFlags,
  positionals: ['ACCOUNT'],
  run(values, [account = '']) {
    return showPage(values, pathOf(account), snapshotView);
  },
});

function pathOf(account: string): string {
  return `/admin/accounts/${segment(account)}/snapshots`;
}

export const snapshot = defineGroup({
  name: 'snapshot',
  summary: 'Take and list snapshots of an account.',
  commands: [take, list],
});
