/** `project`: folds a projection as it stood at a time, or a new one over the real events, and prints its documents. */
import {
  NoProjectionError,
  ownProjection,
  type ProjectedDocuments,
  type ProjectionPlan,
  projectionNames,
  runProjection,
  StoreError,
  triedProjection,
} from '../../store-tools/run-projection.ts';
import { plain } from '../bank/table.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { closest } from '../closest.ts';
import { defineCommand, wholeNumber } from '../command.ts';
import { instantOf } from '../instant.ts';
import { namedPath } from '../named-path.ts';
import { readConfig } from '../project.ts';
import { formatCount, paint, print } from '../terminal.ts';

const DOCUMENTS_DEFAULT = 20;
const DOCUMENTS_MAX = 1_000_000;

export const project = defineCommand({
  name: 'project',
  summary: 'Fold a projection as it stood at a time, or try a new one, over the real events.',
  details: `NAME is one of the bank's own; --try takes a TypeScript file whose default export is a projection. Reads the store
of OPENBANK_EVENT_STORE, also while the bank runs. What is folded goes into a database that is deleted at the end, so the
documents that the bank answers with stay as they are. Exit code: 1 when an event could not be folded.
See docs/time-travel.md.`,
  options: {
    try: { type: 'string', value: 'FILE', help: 'Try the projection of this file instead' },
    at: { type: 'string', value: 'TIME', help: 'Only what had happened by then: 2026-01-31T23:59:59Z' },
    key: { type: 'string', value: 'KEY', help: 'Print only the document with this key' },
    limit: { type: 'string', value: 'N', help: `Documents to print (default ${DOCUMENTS_DEFAULT})` },
    json: { type: 'boolean', help: 'Print each document as one line of JSON' },
  },
  positionals: ['[NAME]'],
  async run(values, [name]) {
    const bounds = { fallback: DOCUMENTS_DEFAULT, min: 1, max: DOCUMENTS_MAX };
    const limit = wholeNumber('--limit', values.limit, bounds);
    const time = values.at === undefined ? undefined : pastTime(values.at);
    const plan = await planOf(name, values.try);
    const { key, json = false } = values;
    try {
      return await runProjection(readConfig(), plan, time, async (projected) => {
        if (key === undefined) await printAll(projected, limit, json);
        else await printOne(projected, plan, key, json);
        return reportDeadLetters(projected);
      });
    } catch (error) {
      if (error instanceof StoreError) throw new CliError(error.message);
      throw error;
    }
  },
});

async function planOf(name: string | undefined, file: string | undefined): Promise<ProjectionPlan> {
  if ((name === undefined) === (file === undefined)) {
    throw new CliError(
      `project needs NAME or --try FILE. NAME is one of ${projectionNames().join(', ')}.`,
      EXIT.usage,
    );
  }
  if (file !== undefined) {
    try {
      return await triedProjection(namedPath(file));
    } catch (error) {
      if (error instanceof NoProjectionError) throw new CliError(error.message, EXIT.usage);
      throw error;
    }
  }
  const plan = ownProjection(String(name));
  if (plan) return plan;
  const meant = closest(String(name), projectionNames());
  const hint = meant ? `Did you mean '${meant}'?` : `There are ${projectionNames().join(', ')}.`;
  throw new CliError(`There is no projection '${name}'. ${hint}`, EXIT.usage);
}

/** @throws CliError for what is no time, or not yet */
function pastTime(text: string): string {
  const time = instantOf(text);
  if (time === undefined) {
    throw new CliError(`--at must be a time such as 2026-01-31T23:59:59Z, not '${text}'.`, EXIT.usage);
  }
  if (Date.parse(time) > Date.now()) throw new CliError('--at must not be in the future.', EXIT.usage);
  return time;
}

async function printAll(projected: ProjectedDocuments, limit: number, json: boolean): Promise<void> {
  let count = 0;
  for await (const { key, document, blocked } of projected.documents()) {
    count += 1;
    if (count <= limit) printDocument(key, document, blocked, json);
  }
  const shown = Math.min(count, limit);
  const more = count > shown ? `; ${formatCount(shown)} are shown, --limit shows more` : '';
  process.stderr.write(`${formatCount(count)} ${count === 1 ? 'document' : 'documents'}${more}.\n`);
}

async function printOne(
  projected: ProjectedDocuments,
  { projection }: ProjectionPlan,
  key: string,
  json: boolean,
): Promise<void> {
  const found = await projected.get(key);
  if (!found) throw new CliError(`${projection.name} has no document '${key}' then.`);
  printDocument(key, found.document, found.blocked, json);
}

function printDocument(key: string, document: unknown, blocked: boolean, json: boolean): void {
  if (json) {
    print(JSON.stringify({ key, document: document ?? null, ...(blocked ? { blocked } : {}) }));
    return;
  }
  const note = blocked ? paint('yellow', ' (an event of it could not be folded)') : '';
  print(`${paint('bold', plain(key))}${note}`, JSON.stringify(document, undefined, 2) ?? '{}', '');
}

function reportDeadLetters({ deadLetters, deadLetterCount }: ProjectedDocuments): number {
  if (deadLetterCount === 0) return EXIT.ok;
  const lines = deadLetters.map(
    ({ eventType, stream, revision, cause }) => `  ${eventType}, revision ${revision} of ${stream}: ${cause}`,
  );
  const head = `${formatCount(deadLetterCount)} events could not be folded`;
  process.stderr.write(
    `${[`${head}${lines.length > 0 ? ', such as' : ''}`, ...lines.map(plain)].join('\n')}\n`,
  );
  return EXIT.failed;
}
