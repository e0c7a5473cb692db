/** `restart`: stop, then start. */
import { EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { dockerFlag } from '../docker/flag.ts';
import { reportStack } from '../docker/report.ts';
import { startStack, stopStack } from '../docker/stack.ts';
import { launch } from '../launch.ts';
import { readConfig } from '../project.ts';
import { findService, stopProcess } from '../service-process.ts';
import { report } from './start.ts';

export const restart = defineCommand({
  name: 'restart',
  summary: 'Stop the bank if it runs, and start it.',
  options: {
    force: { type: 'boolean', help: 'End the process hard when it does not stop in time' },
    json: { type: 'boolean', help: 'Print the result as JSON' },
    ...dockerFlag,
  },
  async run({ force, json, docker }) {
    const config = readConfig();
    if (docker) {
      await stopStack();
      reportStack(await startStack(), json === true);
      return EXIT.ok;
    }
    await stopProcess(config, await findService(config), force === true);
    report(config, await launch(config), json === true);
    return EXIT.ok;
  },
});
