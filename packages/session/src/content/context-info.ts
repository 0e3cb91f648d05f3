import type { proto } from '@whiskeysockets/baileys';

/**
 * Contents that a person can answer with, forward or let disappear: those with a context. Polls and invitations to
 * events and groups are among them; what says something about another message is not.
 */
const WITH_CONTEXT = [
  'extendedTextMessage',
  'imageMessage',
  'videoMessage',
  'ptvMessage',
  'audioMessage',
  'documentMessage',
  'stickerMessage',
  'locationMessage',
  'liveLocationMessage',
  'contactMessage',
  'contactsArrayMessage',
  'pollCreationMessage',
  'pollCreationMessageV2',
  'pollCreationMessageV3',
  'eventMessage',
  'groupInviteMessage',
] as const satisfies readonly (keyof proto.IMessage)[];

/** The context of a content. */
export function contextOf(content: proto.IMessage): proto.IContextInfo | undefined {
  for (const field of WITH_CONTEXT) {
    const { contextInfo } = content[field] ?? {};
    if (contextInfo != null) return contextInfo;
  }
  return undefined;
}

/**
 * The content with a context, added to the one that it has, or in its place. Undefined if this kind of content has no
 * context.
 */
export function withContext(
  content: proto.IMessage,
  contextInfo: proto.IContextInfo,
  mode: 'add' | 'replace' = 'add',
): proto.IMessage | undefined {
  for (const field of WITH_CONTEXT) {
    const inner = content[field];
    if (inner == null) continue;
    const context = mode === 'add' ? { ...inner.contextInfo, ...contextInfo } : contextInfo;
    return { ...content, [field]: { ...inner, contextInfo: context } };
  }
  return undefined;
}

/** The content with a context. What has none, as a reaction, does not disappear by itself. */
export function inContext(content: proto.IMessage, contextInfo: proto.IContextInfo): proto.IMessage {
  return Object.keys(contextInfo).length === 0 ? content : (withContext(content, contextInfo) ?? content);
}
