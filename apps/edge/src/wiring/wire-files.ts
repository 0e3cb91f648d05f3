import { AddressRules, PublicHttp } from '@wafleet/egress';
import { createMediaTools, SpoolBudget } from '@wafleet/media-tools';
import { UploadRecords } from '@wafleet/store';
import { FileSlots } from '../limits/file-slots.js';
import { MediaDownloads, STALL_MS } from '../media/media-downloads.js';
import { MediaHost } from '../media/media-host.js';
import { EncryptedUploads } from '../sending/encrypted-upload.js';
import { FileUploads } from '../sending/file-uploads.js';
import type { LinkPreviews } from '../sending/link-preview.js';
import { MediaConnectionClient } from '../sending/media-connection-client.js';
import { MessageFiles } from '../sending/message-files.js';
import { FilePreparation } from '../sending/prepared-file.js';
import { FileReceiver } from '../sending/received-file.js';
import { UploadPlaces } from '../sending/upload-places.js';
import type { SessionCommands } from '../sessions/session-commands.js';
import type { EdgeOptions } from './edge-options.js';
import type { EdgeCounters } from './metrics.js';
import { wireLinkPreviews } from './wire-link-previews.js';
import type { EdgeStore } from './wire-store.js';

/** What the edge does with the files of messages. */
export interface EdgeFiles {
  readonly media: MediaDownloads;
  readonly receiver: FileReceiver;
  readonly uploads: FileUploads;
  readonly uploadRecords: UploadRecords;
  readonly messageFiles: MessageFiles;
  readonly places: UploadPlaces;
  readonly previews: LinkPreviews;
  /** Lets downloads finish for some seconds, then ends all that is under way. */
  readonly close: () => Promise<void>;
}

/** Creates what fetches the files of messages, and what receives, converts and uploads them. */
export function wireFiles(
  { media: options, uploads: limits, logger }: EdgeOptions,
  { store, commands, tally }: { store: EdgeStore; commands: SessionCommands; tally: EdgeCounters },
): EdgeFiles {
  const { redis, settings, leases } = store;
  const { url, proxyRules = AddressRules.parse(''), stallMs = STALL_MS } = options;
  const { maxBytes, fetchRules = AddressRules.parse('') } = limits;
  const host = new MediaHost({ url, answerMs: stallMs, proxyRules });
  const media = new MediaDownloads({
    ...{ host, commands, settings, media: options, logger },
    onEnded: (outcome) => tally.countDownload(outcome),
  });
  const spool = {
    ...(limits.spoolDirectory === undefined ? {} : { directory: limits.spoolDirectory }),
    budget: new SpoolBudget(limits.spoolBytes),
  };
  const tools = createMediaTools({
    ...(limits.ffmpegPath === undefined ? {} : { ffmpegPath: limits.ffmpegPath }),
    ...{ spool, atOnce: limits.toolsAtOnce, maxOutputBytes: maxBytes },
  });
  const places = new UploadPlaces({ slots: new FileSlots('uploads', limits.atOnce), leases });
  const http = new PublicHttp({ rules: fetchRules });
  const uploads = new FileUploads({
    ...{ places, http, spool, maxBytes },
    preparation: new FilePreparation(tools),
    encrypted: new EncryptedUploads({ connections: new MediaConnectionClient(commands), host, spool }),
  });
  const uploadRecords = new UploadRecords(redis);
  return {
    ...{ media, uploads, uploadRecords, places },
    previews: wireLinkPreviews({ http, tools, spool, logger }),
    receiver: new FileReceiver({ places, spool, maxBytes, stallMs }),
    messageFiles: new MessageFiles({ uploads, records: uploadRecords }),
    close: async () => {
      await media.close();
      http.close();
      await host.close();
    },
  };
}
