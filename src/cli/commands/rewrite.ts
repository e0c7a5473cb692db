/** `rewrite`: puts every event of an export through a function, into a new export, or only says what that would change. */
import { pathToFileURL } from 'node:url';
import { type EventRewrite, type RewriteReport, rewriteDirectory } from '../../store-tools/move-stores.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { move, totalsJson, totalsTable } from '../move.ts';
import { namedPath } from '../named-path.ts';
import { readConfig } from '../project.ts';
import { alignColumns, formatCount, paint, print, printJson } from '../terminal.ts';

export const rewrite = defineCommand({
  name: 'rewrite',
  summary: 'Replace events of an export by others, into a new export; with --dry-run only report.',
  details: `FILE is a TypeScript or JavaScript module whose default export is a function: it gets an event and returns what
shall stand in its place, a list of events, or nothing to leave it out. Every event must be readable by this program
afterwards. No store is touched: import the new export into an empty one. Relative paths lie in the project's
directory. See docs/event-versions.md.`,
  options: {
    with: { type: 'string', value: 'FILE', help: 'The module with the function; needed' },
    'dry-run': { type: 'boolean', help: 'Write nothing, only report' },
    json: { type: 'boolean', help: 'Print the report as JSON' },
  },
  positionals: ['FROM', '[TO]'],
  async run({ with: file, 'dry-run': dryRun, json }, [from = '', to]) {
    if (!file) throw new CliError('rewrite needs --with FILE.', EXIT.usage);
    if (!to && !dryRun)
      throw new CliError('rewrite needs a directory to write to, or --dry-run.', EXIT.usage);
    const options = {
      from: namedPath(from),
      ...(to && !dryRun ? { to: namedPath(to) } : {}),
      rewrite: await loadFunction(namedPath(file)),
      defaultCurrency: readConfig().defaultCurrency,
    };
    const report = await move((onProgress) => rewriteDirectory({ ...options, onProgress }), {
      disk_full: 'Make room, empty the directory and call rewrite again.',
    });
    if (json) printJson(reportJson(report));
    else printReport(report, options.to);
    return EXIT.ok;
  },
});

/** @throws CliError */
async function loadFunction(path: string): Promise<EventRewrite> {
  let module: { readonly default?: unknown };
  try {
    module = await import(pathToFileURL(path).href);
  } catch (error) {
    throw new CliError(`${path} cannot be loaded: ${firstLine(error)}`);
  }
  if (typeof module.default === 'function') return module.default as EventRewrite;
  throw new CliError(`${path} has no function as its default export.`);
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0] ?? message;
}

function printReport(report: RewriteReport, to: string | undefined): void {
  const { eventsRead, eventsWritten, types, examples, written } = report;
  const rows = types.map(({ type, kept, changed, removed, added }) => [
    type,
    ...[kept, changed, removed, added].map(formatCount),
  ]);
  print(
    alignColumns([['', 'kept', 'changed', 'removed', 'added'], ...rows], { right: [1, 2, 3, 4] }),
    '',
    `${formatCount(eventsRead)} events became ${formatCount(eventsWritten)}.`,
  );
  for (const { stream, revision, before, after } of examples) {
    print('', `Revision ${revision} of ${stream}:`, `  ${paint('red', `- ${eventText(before)}`)}`);
    for (const one of after) print(`  ${paint('green', `+ ${eventText(one)}`)}`);
  }
  print('');
  if (!written || !to) print('Nothing was written.');
  else print(`${paint('green', '●')} Written to ${to}:`, '', totalsTable(written));
}

function eventText({ type, data }: RewriteReport['examples'][number]['before']): string {
  return `${type} ${JSON.stringify(data)}`;
}

function reportJson({ eventsRead, eventsWritten, types, examples, written }: RewriteReport): object {
  return {
    events_read: eventsRead,
    events_written: eventsWritten,
    types,
    examples,
    ...(written ? { written: totalsJson(written) } : {}),
  };
}
