/** The flag that turns a command to the containers, the same for every command that has it. */
import type { Option } from '../command.ts';

export const dockerFlag = {
  docker: { type: 'boolean', help: 'Do it with KurrentDB and MongoDB in containers (see docs/docker.md)' },
} as const satisfies Record<string, Option>;
