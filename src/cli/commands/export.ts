/** `export`: writes all events of the bank into a directory. */
import { exportStore } from '../../store-tools/move-stores.ts';
import { EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { move, totalsJson, totalsTable } from '../move.ts';
import { namedPath } from '../named-path.ts';
import { readConfig } from '../project.ts';
import { formatCount, paint, print, printJson } from '../terminal.ts';

export const exportCommand = defineCommand({
  name: 'export',
  summary: 'Write all events into a directory, to move them to another store.',
  details: `Reads the store of OPENBANK_EVENT_STORE, also while the bank runs, up to what it holds at the start. Snapshots
are left out. After an interruption the same command goes on; a finished export is left as it is. A relative
directory lies in the project's. See docs/moving-stores.md.`,
  options: { json: { type: 'boolean', help: 'Print the result as JSON' } },
  positionals: ['DIR'],
  async run({ json }, [directory = '']) {
    const path = namedPath(directory);
    const config = readConfig();
    const result = await move((report) => exportStore(config, path, report), {
      disk_full: 'Make room and call export again: it goes on behind the last whole segment.',
      corrupt: 'Nothing was added to the export.',
    });
    if (json) printJson({ directory: path, ...totalsJson(result), events_before: result.eventsBefore });
    else {
      const again =
        result.eventsBefore > 0 ? `, ${formatCount(result.eventsBefore)} of them by an earlier run` : '';
      print(`${paint('green', '●')} Exported to ${path}${again}:`, '', totalsTable(result), '');
      print(`The export is of ${result.finishedAt}. Check it at any time: ./openbank import ${path} --check`);
    }
    return EXIT.ok;
  },
});
