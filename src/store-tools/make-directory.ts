/** For the command line, which makes the data directory before there is a bank in it. */
export { makeDirectory } from '../adapters/files/make-directory.ts';
