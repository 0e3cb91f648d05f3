import { z } from 'zod';
import { mediaFileSchema } from '../media-file.js';
import { internalCommand, messageIdSchema } from './definition.js';

/** How the cluster moves sessions between workers. Clients cannot send these. */
export const clusterCommands = {
  /**
   * Claims the session and opens it. Answered once it is claimed, before it connects, with the number of sessions that
   * the worker has now. `expectPrevious` is a worker that the sender knows to be dead.
   */
  assign: internalCommand({
    fields: { expectPrevious: z.string().optional() },
    reply: z.object({ sessions: z.number().optional() }),
    execution: { deadlineMs: 3_000 },
  }),
  /** Stops the session so that another worker can take it. Answered when that is done. */
  release: internalCommand({ fields: {}, reply: z.object({}) }),
  /**
   * Logs out at WhatsApp, wipes the keys and releases the session. The reply says whether no phone lists the device any
   * more.
   */
  unlink: internalCommand({ fields: {}, reply: z.object({ isUnlinked: z.boolean().optional() }) }),
};

/** What an edge tells when it has changed what is stored for a session. */
export const settingsCommands = {
  /** Reads the settings of the session again, and applies them. Answered when that is done. */
  'settings-changed': internalCommand({ fields: {}, reply: z.object({}), execution: { deadlineMs: 5_000 } }),
};

/** What an edge asks when it serves the file of a message. */
export const mediaCommands = {
  /**
   * Looks up what a message says of its file. If the session has a proxy, the file must be fetched through it: the reply
   * has its URL, sealed for `replyKey`. `isDirect` says that it has none: workers of earlier releases may have a proxy
   * and not name it.
   */
  'find-media': internalCommand({
    fields: { messageId: messageIdSchema, replyKey: z.string().max(200).optional() },
    reply: z.object({
      file: mediaFileSchema,
      proxy: z.string().optional(),
      isDirect: z.boolean().optional(),
    }),
    execution: { lane: 'media' },
  }),
  /**
   * Asks the phone to upload a file again, unless the file has left `triedPath`. The reply has no file while the
   * phone has not answered; the sender then sends the command again.
   */
  'refresh-media': internalCommand({
    fields: { messageId: messageIdSchema, triedPath: z.string() },
    reply: z.object({ file: mediaFileSchema.optional() }),
    execution: { lane: 'media' },
  }),
  /**
   * Where and with which token the session may upload files, sealed for `replyKey`: JSON of `mediaConnectionSchema`.
   * If WhatsApp has refused a token, `stale` is its digest, and WhatsApp is asked for another one. The proxy is as that of
   * `find-media`.
   */
  'open-media-connection': internalCommand({
    fields: { replyKey: z.string().max(200), stale: z.string().max(64).optional() },
    reply: z.object({
      connection: z.string(),
      proxy: z.string().optional(),
      isDirect: z.boolean().optional(),
    }),
    execution: { lane: 'media', requires: 'open' },
  }),
};

/** What WhatsApp says to a session of its media hosts. The token is a secret. */
export const mediaConnectionSchema = z.object({
  auth: z.string().min(1).max(4_096),
  /** Names of hosts, the preferred one first. */
  hosts: z.array(z.string().max(255)).min(1).max(32),
});

export type MediaConnection = z.output<typeof mediaConnectionSchema>;
