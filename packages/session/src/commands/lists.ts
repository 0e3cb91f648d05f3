import type { listCommands } from '@wafleet/contract';
import type { HandlersOf } from './command-context.js';

export const listHandlers: HandlersOf<typeof listCommands> = {
  'list-chats': ({ lists }, fields) => lists.chats(fields),
  'get-chat': ({ lists }, { chat }) => lists.chat(chat),
  'list-contacts': ({ lists }, fields) => lists.contacts(fields),
};
