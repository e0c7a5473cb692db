/** `reset`: deletes all data of the bank, after asking. */
import { rmSync } from 'node:fs';
import type { Config } from '../../config.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { dockerFlag } from '../docker/flag.ts';
import { deleteStack, findStack, listVolumes } from '../docker/stack.ts';
import { ownFiles } from '../own-files.ts';
import { readConfig } from '../project.ts';
import { findService, type ServiceView, stopProcess, usesOurStore } from '../service-process.ts';
import { alignColumns, canAsk, confirm, formatBytes, paint, print } from '../terminal.ts';

export const reset = defineCommand({
  name: 'reset',
  summary: 'Delete all data of the bank, after asking.',
  details: `Stops the bank and deletes its databases, logs and pid file. Other files in the data directory stay.
Without a terminal to ask on it needs --yes.

With --docker it deletes the containers and the volumes with the data of KurrentDB and MongoDB.`,
  options: {
    yes: { type: 'boolean', short: 'y', help: 'Do not ask' },
    force: { type: 'boolean', help: 'End a bank hard that does not stop in time' },
    ...dockerFlag,
  },
  async run({ yes, force, docker }) {
    const config = readConfig();
    if (docker) return resetDocker(yes === true);
    const files = ownFiles(config);
    const view = await findService(config);
    if (files.length === 0 && view.pid === undefined) {
      print(`There is nothing to delete in ${config.dataDir}.`);
      return EXIT.ok;
    }
    refuseWhenBeyondReach(config, view);
    announce(files, view);
    if (!yes && !(await agreed())) return EXIT.failed;
    await stopProcess(config, view, force === true);
    // Stopping may have written or removed files, so they are listed again.
    for (const { path } of ownFiles(config)) rmSync(path, { force: true });
    print('All data of the bank has been deleted.');
    return EXIT.ok;
  },
});

async function resetDocker(yes: boolean): Promise<number> {
  const { containers } = await findStack();
  const volumes = await listVolumes();
  if (containers.length === 0 && volumes.length === 0) {
    print('There is nothing to delete in Docker.');
    return EXIT.ok;
  }
  const rows = [
    ...volumes.map((name) => [name, 'volume']),
    ...containers.map(({ Name }) => [Name, 'container']),
  ];
  print(paint('bold', 'This will be deleted for good:'), '', alignColumns(rows, { indent: 2 }), '');
  if (!yes && !(await agreed())) return EXIT.failed;
  await deleteStack();
  print('All data of the bank in Docker has been deleted.');
  return EXIT.ok;
}

/** A service that another user or a container runs on our files cannot be stopped from here. */
function refuseWhenBeyondReach(config: Config, { pid, probe }: ServiceView): void {
  if (pid !== undefined || probe.kind !== 'openbank' || !usesOurStore(config, probe.status)) return;
  throw new CliError(
    `Nothing was deleted: a service that cannot be stopped from here (process ${probe.status.pid}) uses it.`,
  );
}

function announce(files: ReturnType<typeof ownFiles>, { pid }: ServiceView): void {
  print(paint('bold', 'This will be deleted for good:'), '');
  const rows = files.map(({ path, bytes }) => [path, formatBytes(bytes)]);
  print(alignColumns(rows, { indent: 2, right: [1] }), '');
  if (pid !== undefined) print(`OpenBank is running (process ${pid}) and will be stopped first.`);
}

async function agreed(): Promise<boolean> {
  if (!canAsk()) {
    throw new CliError('Nothing was deleted: without a terminal to ask on, reset needs --yes.', EXIT.usage);
  }
  if (await confirm('Delete all data of the bank?')) return true;
  print('Nothing was deleted.');
  return false;
}
