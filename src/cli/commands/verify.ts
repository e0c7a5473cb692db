/** `verify`: folds the events anew and compares the read models with what comes out. */
import {
  type Difference,
  StoreError,
  type VerifiedProjection,
  verifyReadModels,
} from '../../store-tools/verify-read-models.ts';
import { plain } from '../bank/table.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { readConfig } from '../project.ts';
import { alignColumns, formatCount, formatDuration, paint, print, printJson } from '../terminal.ts';

const SHOWN_MAX = 20;

const REASONS: Readonly<Record<NonNullable<VerifiedProjection['notCompared']>, string>> = {
  stale: 'an older version is served until its rebuild has caught up',
  not_filled: 'nothing is served yet: has the bank been started?',
  behind: 'the read models stand behind the events: is the bank running?',
  beyond_the_log: 'the read models have seen events that the store does not have: they are of another log',
};

export const verify = defineCommand({
  name: 'verify',
  summary: 'Check that read models and events agree: fold all events anew, and compare every document.',
  details: `Works on the stores of OPENBANK_EVENT_STORE and OPENBANK_READ_MODELS, whatever they are, also while the bank runs,
and changes nothing. Needs room for a second copy of the read models in the directory for temporary files. Exit code: 1
when something differs or could not be compared. See docs/backup.md.`,
  options: { json: { type: 'boolean', help: 'Print the report as JSON' } },
  async run({ json }) {
    const startedAt = performance.now();
    const { foldedTo, projections } = await report();
    const seconds = (performance.now() - startedAt) / 1000;
    const agree = projections.every((one) => one.differenceCount === 0 && one.notCompared === undefined);
    if (json)
      printJson({
        agree,
        folded_to: String(foldedTo),
        seconds,
        projections: projections.map(projectionJson),
      });
    else printReport(projections, agree, `up to position ${foldedTo}, in ${formatDuration(seconds)}`);
    return agree ? EXIT.ok : EXIT.failed;
  },
});

async function report() {
  try {
    return await verifyReadModels(readConfig(), (step) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${step} …`);
    });
  } catch (error) {
    if (error instanceof StoreError) throw new CliError(error.message);
    throw error;
  } finally {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
  }
}

function projectionJson({
  projection,
  equal,
  differences,
  differenceCount,
  moving,
  notCompared,
  position,
}: VerifiedProjection) {
  return {
    projection,
    equal,
    difference_count: differenceCount,
    differences: differences.map(({ key, kind, fields }) => ({ key, kind, fields })),
    moving,
    not_compared: notCompared ?? null,
    position: String(position),
  };
}

function printReport(projections: readonly VerifiedProjection[], agree: boolean, how: string): void {
  const rows = projections.map(({ projection, equal, differenceCount, moving, notCompared }) => [
    projection,
    formatCount(equal),
    formatCount(differenceCount),
    formatCount(moving),
    notCompared ? `not compared: ${REASONS[notCompared]}` : '',
  ]);
  print(alignColumns([['', 'agree', 'differ', 'moving', ''], ...rows], { right: [1, 2, 3] }), '');
  const differences = projections.flatMap((one) => one.differences);
  for (const one of differences.slice(0, SHOWN_MAX)) print(plain(`  ${sentenceOf(one)}`));
  if (agree) print(`${paint('green', '●')} Read models and events agree, ${how}.`);
  else
    print(
      `${paint('red', '●')} Read models and events do not agree, ${how}. ./openbank rebuild NAME folds them anew.`,
    );
}

function sentenceOf({ projection, key, kind, fields }: Difference): string {
  const what = {
    missing: 'is not served',
    extra: 'is served, and no event made it',
    blocked: 'has an event that could not be folded: see ./openbank dead-letters',
    different: fields.length > 0 ? `differs in ${fields.join(', ')}` : 'was last changed by another event',
  }[kind];
  return `${projection} ${key} ${what}`;
}
