/** `import`: writes an export into an empty store, or only checks it. */
import { checkDirectory, importIntoStore } from '../../store-tools/move-stores.ts';
import { EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { move, totalsJson, totalsTable } from '../move.ts';
import { namedPath } from '../named-path.ts';
import { readConfig } from '../project.ts';
import { formatCount, paint, print, printJson } from '../terminal.ts';

export const importCommand = defineCommand({
  name: 'import',
  summary: 'Write an export into an empty store; with --check only look whether it is whole.',
  details: `Checks the whole export first, then writes it into the store of OPENBANK_EVENT_STORE, which must be empty and
not in use, and in the end compares what the store holds. After an interruption the same command goes on; until it
has ended well, do not start a bank on that store. Read models are built anew at the bank's next start. A relative
directory lies in the project's. See docs/moving-stores.md.`,
  options: {
    check: { type: 'boolean', help: 'Change nothing: check checksums, order and counts of the export' },
    json: { type: 'boolean', help: 'Print the result as JSON' },
  },
  positionals: ['DIR'],
  async run({ check, json }, [directory = '']) {
    const path = namedPath(directory);
    const config = readConfig();
    if (check) {
      const totals = await move((report) => checkDirectory(path, report), {});
      if (json) printJson({ directory: path, ...totalsJson(totals) });
      else print(`${paint('green', '●')} ${path} is a whole export:`, '', totalsTable(totals));
      return EXIT.ok;
    }
    const result = await move((report) => importIntoStore(config, path, report), {
      in_use: 'Stop it first: ./openbank stop.',
      disk_full: 'Make room and call import again: it goes on where it stopped.',
    });
    if (json) printJson({ directory: path, ...totalsJson(result), events_before: result.eventsBefore });
    else {
      const again =
        result.eventsBefore > 0 ? `, ${formatCount(result.eventsBefore)} events by an earlier run` : '';
      print(
        `${paint('green', '●')} Imported from ${path}${again}, and compared:`,
        '',
        totalsTable(result),
        '',
      );
      print('./openbank start builds the read models anew.');
    }
    return EXIT.ok;
  },
});
