/** Routes for operators: a backup of the embedded store is begun, and what there is of it. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { ProblemException, problem } from '../problems.ts';
import { type BackupService, backupListSchema, backupStartedSchema } from '../schemas/backups.ts';
import { problemResponses } from '../schemas/problems.ts';

const tags = ['operations'];

export const backupsController =
  ({ backups }: { readonly backups: BackupService }): FastifyPluginAsyncZod =>
  async (app) => {
    app.addHook('onClose', () => backups.stop());

    app.post(
      '/admin/backups',
      {
        schema: {
          operationId: 'startBackup',
          tags,
          summary: 'Begin a backup of the embedded store into OPENBANK_BACKUP_DIR: only what is new',
          response: {
            202: backupStartedSchema.describe('Under way; GET /admin/backups tells when it is verified.'),
            ...problemResponses(['backup_in_progress', 'backups_not_configured', 'not_supported']),
          },
        },
      },
      async (_request, reply) => {
        const begun = backups.start();
        if (typeof begun === 'string') throw new ProblemException(problem(begun));
        return reply.code(202).send({ status: 'running', ...begun });
      },
    );

    app.get(
      '/admin/backups',
      {
        schema: {
          operationId: 'listBackups',
          tags,
          summary: 'List the runs of the backup, and what became of the newest try',
          response: { 200: backupListSchema, ...problemResponses(['store_unavailable']) },
        },
      },
      async (_request, reply) => reply.send(await backups.list()),
    );
  };
