/** The command line as a process. */
import { EXIT } from './cli-error.ts';
import { dispatch } from './dispatch.ts';
import { workIn } from './named-path.ts';
import { PROJECT_ROOT } from './project.ts';

// `./openbank logs | head` closes the pipe early, which is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

workIn(PROJECT_ROOT);
process.exitCode = await dispatch(process.argv.slice(2));
