/** `version`: the version of OpenBank and of the Node.js that runs it. */
import { EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { projectVersion } from '../project.ts';
import { print, printJson } from '../terminal.ts';

export const version = defineCommand({
  name: 'version',
  summary: 'Show the version.',
  options: { json: { type: 'boolean', help: 'Print it as JSON' } },
  async run({ json }) {
    const versions = { openbank: projectVersion(), node: process.versions.node };
    if (json) printJson(versions);
    else print(`OpenBank ${versions.openbank} on Node.js ${versions.node}`);
    return EXIT.ok;
  },
});
