/** `restart`: stop, then start. */
import { EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
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
  },
  async run({ force, json }) {
    const config = readConfig();
    await stopProcess(config, await findService(config), force === true);
    report(config, await launch(config), json === true);
    return EXIT.ok;
  },
});
