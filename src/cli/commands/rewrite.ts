/** `rewrite`: puts every event of an export through a function, into a new export, or only says what that would change. */
import { pathToFileURL } from 'node:url';
import { type EventRewrite, type RewriteReport, rewriteDirectory } from '../../store-tools/move-stores.ts';
import { plain } from '../bank/table.ts';
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
shall stand in its place, a list of events, or nothing to leave it out. Every event that could be read and applied must
be so afterwards; --dry-run lists those that are not, and exits with 1. No store is touched: import the new export into
an empty one. Relative paths lie in the project's directory. See docs/event-versions.md.`,
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
    return report.faults.events > 0 ? EXIT.failed : EXIT.ok;
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
  printFaults(report.faults);
  if (!written || !to) print('Nothing was written.');
  else print(`${paint('green', '●')} Written to ${to}:`, '', totalsTable(written));
}

function printFaults({ events, streams, first, inherited, unfolded }: RewriteReport['faults']): void {
  if (events > 0) {
    const sum = `Events that could not be read or applied any more: ${formatCount(events)}, in streams: ${formatCount(streams)}.`;
    print(`${paint('red', '●')} ${sum} The first of each:`);
    for (const { stream, revision, type, kind, message } of first)
      print(plain(`  Revision ${revision} of ${stream}, ${type}: ${kind.replaceAll('_', ' ')}: ${message}`));
    print('');
  }
  if (inherited > 0) print(`Events that are as wrong as they were: ${formatCount(inherited)}.`);
  if (unfolded > 0)
    print(`Events that were read, and not applied to their streams: ${formatCount(unfolded)}.`);
}

function eventText({ type, data }: RewriteReport['examples'][number]['before']): string {
  return `${type} ${JSON.stringify(data)}`;
}

function reportJson({ eventsRead, eventsWritten, types, examples, faults, written }: RewriteReport): object {
  return {
    events_read: eventsRead,
    events_written: eventsWritten,
    types,
    examples,
    faults,
    ...(written ? { written: totalsJson(written) } : {}),
  };
}
