import type { ContentOf } from '@wafleet/contract';
import type { proto } from '@whiskeysockets/baileys';

/** Any number of options. */
const ANY = 0;

export function pollContent({ question, options, selectable = 1 }: ContentOf<'poll'>): proto.IMessage {
  const poll = {
    name: question,
    options: options.map((optionName) => ({ optionName })),
    selectableOptionsCount: selectable === options.length ? ANY : selectable,
  };
  // Phones know polls of one choice by another version than those of several.
  return selectable === 1 ? { pollCreationMessageV3: poll } : { pollCreationMessage: poll };
}
