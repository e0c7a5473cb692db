/** `backup`: adds to a backup what came since its newest run, or only reads it again. */
import { type BackupRun, backUpStore, checkBackupIn } from '../../store-tools/back-up-stores.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { move } from '../move.ts';
import { namedPath } from '../named-path.ts';
import { readConfig } from '../project.ts';
import { alignColumns, formatBytes, formatCount, paint, print, printJson } from '../terminal.ts';

export const backup = defineCommand({
  name: 'backup',
  summary: 'Back up the embedded store, also while the bank runs; again: only what is new.',
  details: `DIR is a directory for the backups of this one bank, by default that of OPENBANK_BACKUP_DIR; a relative one lies in
the project's. Every run reads the whole backup before it adds to it, and what it wrote before it says done; after an
interruption the next one goes on. For KurrentDB and MongoDB see docs/backup.md.`,
  options: {
    check: { type: 'boolean', help: 'Add nothing: read the whole backup, every checksum and every count' },
    json: { type: 'boolean', help: 'Print the result as JSON' },
  },
  positionals: ['[DIR]'],
  async run({ check, json }, [named]) {
    const config = readConfig();
    const directory = named === undefined ? config.backupDir : namedPath(named);
    if (directory === undefined) throw new CliError('backup needs DIR, or OPENBANK_BACKUP_DIR.', EXIT.usage);
    const startedAt = performance.now();
    const { manifest, bytes } = await move(
      async (report) => {
        if (!check) return backUpStore(config, directory, report);
        const { manifest, totals } = await checkBackupIn(directory, report);
        return { manifest, bytes: totals.bytes };
      },
      {
        disk_full: 'The backup is as it was; make room and call backup again.',
        in_use: 'Another backup into it is under way.',
      },
    );
    const run = manifest.runs.at(-1) as BackupRun;
    const seconds = (performance.now() - startedAt) / 1000;
    if (json) printJson({ directory, store_id: manifest.store_id, ...runJson(run), bytes, seconds });
    else {
      const what = check ? 'is a whole backup' : `holds the bank as of ${run.as_of}, and was read again`;
      print(`${paint('green', '●')} ${directory} ${what}:`, '', table(run, manifest.runs.length, bytes), '');
      if (!check) print(rate(run, seconds));
      print(`Restore it into an empty directory: ./openbank restore ${directory}`);
    }
    return EXIT.ok;
  },
});

function runJson(run: BackupRun): object {
  const { number, as_of, events, new_events, segments, digest, head_position, last_position } = run;
  const positions = { head_position: String(head_position), last_position: String(last_position ?? 0) };
  return { run: number, as_of, events, new_events, segments, digest, ...positions };
}

function table(
  { events, new_events, segments, digest, as_of }: BackupRun,
  runs: number,
  bytes: number,
): string {
  const rows = [
    [formatCount(events), `events, ${formatCount(new_events)} of them by the newest run, of ${as_of}`],
    [formatCount(segments), `segments, ${formatBytes(bytes)}`],
    [formatCount(runs), runs === 1 ? 'run' : 'runs'],
  ];
  return `${alignColumns(rows, { indent: 2, right: [0] })}\n  checksum ${digest}`;
}

/** Of all that the run read and wrote: what was there before is read once, what is new is written and read. */
function rate({ events }: BackupRun, seconds: number): string {
  return `It took ${seconds.toFixed(1)} s, ${formatCount(Math.round(events / seconds))} events/s.`;
}
