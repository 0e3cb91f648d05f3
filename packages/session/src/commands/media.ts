import type { mediaCommands } from '@wafleet/contract';
import type { HandlersOf } from './command-context.js';

export const mediaHandlers: HandlersOf<typeof mediaCommands> = {
  'find-media': ({ media }, { messageId, replyKey }) => media.find(messageId, replyKey),
  'open-media-connection': ({ media }, fields) => media.openConnection(fields),
  'refresh-media': ({ media }, { messageId, triedPath }) => media.refresh(messageId, triedPath),
};
