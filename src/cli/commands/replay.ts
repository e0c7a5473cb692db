/** `replay`: steps through an account's events and shows what each did, what broke there, and what rules would say today. */
import {
  isDifferent,
  isRemarkable,
  replayFromStore,
  type ShownStep,
  StoreError,
} from '../../store-tools/replay-account.ts';
import { stepJson, stepText } from '../bank/replay-view.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand, wholeNumber } from '../command.ts';
import { readConfig } from '../project.ts';
import { formatCount, paint, print } from '../terminal.ts';

const REVISION_MAX = 999_999_999_999;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

export const replay = defineCommand({
  name: 'replay',
  summary: "Step through an account's events: what each changed, and where something broke.",
  details: `Reads the store of OPENBANK_EVENT_STORE, also while the bank runs, and changes nothing. Exit code: 1 when a step
broke an invariant, such as a gap between revisions, an event of an unknown type, or a balance beyond the overdraft
limit. --rules asks the rules of this program what they would decide today; where they differ, the step is marked with
'≠', which breaks nothing. See docs/replay.md.`,
  options: {
    from: { type: 'string', value: 'REVISION', help: 'First revision to show (default 0)' },
    to: { type: 'string', value: 'REVISION', help: 'Last revision to replay (default: the newest)' },
    rules: { type: 'boolean', help: "Ask today's rules about each event" },
    findings: { type: 'boolean', help: 'Show only steps with a finding or a difference' },
    json: { type: 'boolean', help: 'Print each step as one line of JSON' },
  },
  positionals: ['ACCOUNT'],
  async run(values, [accountId = '']) {
    if (!UUID.test(accountId)) throw new CliError(`'${accountId}' is not an account's id.`, EXIT.usage);
    const bounds = { min: 0, max: REVISION_MAX };
    const from = wholeNumber('--from', values.from, { fallback: 0, ...bounds });
    const to = wholeNumber('--to', values.to, { fallback: REVISION_MAX, ...bounds });
    if (from > to) throw new CliError('--from must not be beyond --to.', EXIT.usage);
    const request = { accountId: accountId.toLowerCase(), from, to, byTodaysRules: values.rules === true };
    const totals = new Totals();
    try {
      for await (const step of replayFromStore(readConfig(), request)) {
        totals.add(step);
        if (values.findings && !isRemarkable(step)) continue;
        print(values.json ? stepJson(step) : stepText(step));
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw new CliError(error.message);
    }
    if (totals.steps === 0) throw new CliError(`The store has no such events of account ${accountId}.`);
    if (!values.json) print(totals.sentence(request.byTodaysRules));
    return totals.broken === 0 ? EXIT.ok : EXIT.failed;
  },
});

class Totals {
  steps = 0;
  broken = 0;
  #different = 0;

  add({ findings, today }: ShownStep): void {
    this.steps += 1;
    if (findings.some(({ severity }) => severity === 'broken')) this.broken += 1;
    if (isDifferent(today)) this.#different += 1;
  }

  sentence(byTodaysRules: boolean): string {
    const verdict =
      this.broken === 0
        ? `${paint('green', '●')} Nothing is broken in ${formatCount(this.steps)} events`
        : `${paint('red', '●')} ${formatCount(this.broken)} of ${formatCount(this.steps)} events broke an invariant`;
    const today = byTodaysRules ? `; today's rules differ on ${formatCount(this.#different)}` : '';
    return `${verdict}${today}.`;
  }
}
