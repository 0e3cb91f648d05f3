import type { MediaFile } from '@wafleet/contract';
import { encodeExtended } from 'content-disposition';
import { extension } from 'mime-types';

const ANY_TYPE = 'application/octet-stream';
const TYPE = /^([a-z]+\/[a-z0-9][a-z0-9!#$&^_.+-]*)\s*(?:;\s*codecs=("?)([a-z0-9.,_ -]*)\2\s*)?(?:;|$)/i;
/** What a browser may run if somebody opens it in the wrong place: markup, styles and scripts. */
const ACTIVE =
  /^text\/(?!(plain|csv|calendar|markdown|(x-)?vcard)$)|[/+]xml$|html|script|shockwave|wasm|mimearchive|\/hta$|^(multipart|message)\//;
/** What a browser may show instead of saving it. */
const SHOWN = /^(audio|video)\/|^image\/(jpeg|png|gif|webp)$/;

/** Endings that players know. mime-types has rare ones for these: oga, mpga and adts. */
const ENDINGS = new Map([
  ['audio/ogg', 'ogg'],
  ['audio/mpeg', 'mp3'],
  ['audio/aac', 'aac'],
]);

/** Bytes of a file's name in UTF-8, as most file systems have it. */
const MAX_NAME_BYTES = 200;
const MAX_ENDING_LENGTH = 16;

/** The type of a file's content, without parameters, in lower case. Active and malformed types count as unknown. */
function baseTypeOf(mimetype: string): string {
  const base = TYPE.exec(mimetype)?.[1]?.toLowerCase() ?? ANY_TYPE;
  return ACTIVE.test(base) ? ANY_TYPE : base;
}

/** The content type of a file, taken from what its sender states: the type itself and its codecs. */
export function contentTypeOf(mimetype: string): string {
  const base = baseTypeOf(mimetype);
  const codecs = TYPE.exec(mimetype)?.[3];
  if (base === ANY_TYPE || !codecs) return base;
  return /[, ]/.test(codecs) ? `${base}; codecs="${codecs}"` : `${base}; codecs=${codecs}`;
}

/**
 * The name for saving a file, taken from what its sender states: without folders, without characters that are invisible
 * or change the direction of the text, and not hidden. If the sender states none, the name is made from the message's
 * id.
 */
export function fileNameOf({ kind, mimetype, fileName }: MediaFile, messageId: string): string {
  const given = cleaned(fileName ?? '');
  if (given !== '') return shortened(given);
  return shortened(cleaned(`${kind}-${messageId}${endingOf(baseTypeOf(mimetype))}`));
}

/** The ending of a type with its dot; empty for a type that is not known. */
function endingOf(base: string): string {
  const ending = base === ANY_TYPE ? undefined : (ENDINGS.get(base) ?? extension(base));
  return ending ? `.${ending}` : '';
}

/**
 * Not the library filenamify, which gives less: it keeps dots in front, joiners and halves of characters, makes one
 * character of several that are forbidden, and bounds UTF-16 units in place of bytes, without the ending.
 */
function cleaned(name: string): string {
  return (
    name
      // Control characters, directions and characters without width; halves of characters; line separators.
      .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
      // Separators of folders, drives or streams of a file, and wildcards of shells and Windows.
      .replaceAll(/[/\\:*?"<>|]/g, '_')
      .replaceAll(/\s+/gu, ' ')
      .replace(/^[. ]+/, '')
      .replace(/[. ]+$/, '')
  );
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const dot = name.lastIndexOf('.');
  const ending = dot > 0 && name.length - dot <= MAX_ENDING_LENGTH ? name.slice(dot) : '';
  let start = '';
  for (const character of name.slice(0, name.length - ending.length)) {
    if (Buffer.byteLength(`${start}${character}${ending}`) > MAX_NAME_BYTES) break;
    start += character;
  }
  return `${start}${ending}`;
}

/**
 * RFC 6266, with the name in the encoding of RFC 8187, and a plain name for clients that do not read that. Always both,
 * and the plain one in quotes: the library's own `create` leaves one or the quotes out where the standard allows it.
 */
function dispositionOf(type: string, name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9 ._()-]/g, '_');
  return `${type}; filename="${plain}"; filename*=${encodeExtended(name)}`;
}

/**
 * The headers of an answer with a file. The sender states what the file is. Nothing in that may make a browser run the
 * file under the service's address, or break out of its header.
 */
export function mediaHeaders(file: MediaFile, messageId: string): Readonly<Record<string, string>> {
  const type = contentTypeOf(file.mimetype);
  const isShown = SHOWN.test(baseTypeOf(file.mimetype));
  return {
    'content-type': type,
    'content-disposition': dispositionOf(isShown ? 'inline' : 'attachment', fileNameOf(file, messageId)),
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'accept-ranges': 'none',
    'cache-control': 'private, no-cache',
    ...(file.sha256 === undefined ? {} : { etag: `"${file.sha256}"` }),
  };
}
