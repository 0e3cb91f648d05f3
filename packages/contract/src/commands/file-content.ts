import { z } from 'zod';
import { mentionsSchema } from './content-fields.js';

/** The bounds of files in requests. MAX_UPLOAD_BYTES of the edge bounds files that are not in JSON. */
export const FILE_LIMITS = {
  /** Of a file in JSON, before it is base64. */
  base64Bytes: 8 * 1024 * 1024,
  albumItems: 30,
  captionCharacters: 4_096,
} as const;

/** How long a request with JSON may be that holds files, bytes. */
export const FILES_BODY_LIMIT = Math.ceil(FILE_LIMITS.base64Bytes / 3) * 4 + 512 * 1024;

/** What a file can be sent as. WhatsApp encrypts each kind with keys of its own, so an upload is of one of these. */
export const FILE_TYPES = [
  'image',
  'video',
  'video-note',
  'gif',
  'audio',
  'voice',
  'document',
  'sticker',
] as const;

export type FileType = (typeof FILE_TYPES)[number];

export const fileTypeSchema = z.enum(FILE_TYPES);

/** `name/name`, and parameters such as `; codecs=opus`. */
const mimetypeSchema = z
  .string()
  .max(255)
  .regex(/^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+(;[\x20-\x7e]*)?$/i, 'must be a media type');

const fileNameSchema = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^/\\\p{Cc}]+$/u, 'must be a name without folders and control characters');

/** A regular expression for so long a text would take more stack than there is. */
function isBase64(text: string): boolean {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return text.length % 4 === 0 && Buffer.from(text, 'base64').length === (text.length / 4) * 3 - padding;
}

const inlineFileSchema = z.strictObject({
  base64: z
    .string()
    .min(4)
    .max(Math.ceil(FILE_LIMITS.base64Bytes / 3) * 4)
    .refine(isBase64, 'must be base64')
    .describe('the file itself, of at most 8 MiB'),
});

const fileAtUrlSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .describe('where the file is. It is fetched once, from public addresses only'),
});

export const uploadIdSchema = z.string().regex(/^upl_[A-Za-z0-9_-]{24}$/, 'must be the id of an upload');

const uploadedFileSchema = z.strictObject({
  uploadId: uploadIdSchema.describe('a file that was uploaded for this session before'),
});

const filePartSchema = z.strictObject({
  part: z.literal('file').describe('the part `file` of this request, which is `multipart/form-data`'),
});

/** Where the bytes of a new upload come from. */
export const newFileSchema = z.union([fileAtUrlSchema, inlineFileSchema, filePartSchema], {
  error: 'must have a url or base64',
});

/** Where a file of a message comes from. */
export const fileSourceSchema = z.union(
  [fileAtUrlSchema, inlineFileSchema, uploadedFileSchema, filePartSchema],
  { error: 'must have a url, base64 or an uploadId' },
);

export type FileSource = z.output<typeof fileSourceSchema>;

/** Texts of a file. */
const captionFields = {
  caption: z.string().min(1).max(FILE_LIMITS.captionCharacters).optional(),
  mentions: mentionsSchema.optional(),
};

const fileField = { file: fileSourceSchema };

const viewOnceField = {
  viewOnce: z
    .boolean()
    .optional()
    .describe('the recipient can open it once; phones show it, and no computer'),
};

/** The fields of each type besides `type` and `file`. */
const OPTIONS = {
  image: { ...captionFields, ...viewOnceField },
  video: { ...captionFields, ...viewOnceField },
  'video-note': {},
  gif: captionFields,
  audio: {},
  voice: viewOnceField,
  document: {
    ...captionFields,
    fileName: fileNameSchema.optional().describe('what the phone shows; `file` by default'),
    mimetype: mimetypeSchema.optional().describe('by default what the file is found to be'),
  },
  sticker: {},
} as const satisfies Record<FileType, z.ZodRawShape>;

/** Everything that an album can hold. */
const albumItemSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('image'), ...fileField, ...captionFields }),
  z.strictObject({ type: z.literal('video'), ...fileField, ...captionFields }),
]);

const albumContentSchema = z.strictObject({
  type: z.literal('album'),
  items: z
    .array(albumItemSchema)
    .min(2)
    .max(FILE_LIMITS.albumItems)
    .refine(
      (items) => items.every(({ file }) => !('part' in file)),
      'an album takes no part: upload its files before',
    )
    .describe('pictures and videos, which phones show as one'),
});

/** The contents with files, as clients write them. */
export const fileContentSchemas = [
  z.strictObject({ type: z.literal('image'), ...fileField, ...OPTIONS.image }),
  z.strictObject({ type: z.literal('video'), ...fileField, ...OPTIONS.video }),
  z.strictObject({ type: z.literal('video-note'), ...fileField, ...OPTIONS['video-note'] }),
  z.strictObject({ type: z.literal('gif'), ...fileField, ...OPTIONS.gif }),
  z.strictObject({ type: z.literal('audio'), ...fileField, ...OPTIONS.audio }),
  z.strictObject({ type: z.literal('voice'), ...fileField, ...OPTIONS.voice }),
  z.strictObject({ type: z.literal('document'), ...fileField, ...OPTIONS.document }),
  z.strictObject({ type: z.literal('sticker'), ...fileField, ...OPTIONS.sticker }),
  albumContentSchema,
] as const;

/** A content with files, as clients write it. */
export type FileContent = z.output<(typeof fileContentSchemas)[number]>;

/**
 * A file that lies on WhatsApp's media host, and all that a message says of it. Bytes are base64. It is enough to
 * read the file.
 */
export const uploadedMediaSchema = z.object({
  url: z.string().max(4_096).optional(),
  directPath: z.string().min(1).max(2_048),
  mediaKey: z.base64().max(64),
  sha256: z.base64().max(64),
  encryptedSha256: z.base64().max(64),
  /** Bytes of the file. */
  length: z.number().int().min(0),
  mimetype: z.string().max(255),
  /** When the key was made, s. */
  keyMadeAt: z.number().int(),
  width: z.number().int().min(0).optional(),
  height: z.number().int().min(0).optional(),
  seconds: z.number().int().min(0).optional(),
  /** A JPEG file. */
  thumbnail: z
    .base64()
    .max(64 * 1024)
    .optional(),
  /** 64 values from 0 to 100. */
  waveform: z.base64().max(256).optional(),
  isAnimated: z.boolean().optional(),
});

export type UploadedMedia = z.output<typeof uploadedMediaSchema>;

/** A file in a command to a worker: as it is, or as an upload that an edge has sealed for workers, by its id. */
export const sentFileSchema = z.union([
  uploadedMediaSchema,
  z.object({ uploadId: uploadIdSchema, sealed: z.base64().max(192 * 1024) }),
]);

export type SentFile = z.output<typeof sentFileSchema>;

const sentFileField = { file: sentFileSchema };

const sentItemSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('image'), ...sentFileField, ...captionFields }),
  z.object({ type: z.literal('video'), ...sentFileField, ...captionFields }),
]);

/** The contents with files, as they go to a worker: the files are uploaded. */
export const sentFileContentSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('image'), ...sentFileField, ...OPTIONS.image }),
  z.object({ type: z.literal('video'), ...sentFileField, ...OPTIONS.video }),
  z.object({ type: z.literal('video-note'), ...sentFileField }),
  z.object({ type: z.literal('gif'), ...sentFileField, ...OPTIONS.gif }),
  z.object({ type: z.literal('audio'), ...sentFileField }),
  z.object({ type: z.literal('voice'), ...sentFileField, ...OPTIONS.voice }),
  z.object({ type: z.literal('document'), ...sentFileField, ...OPTIONS.document }),
  z.object({ type: z.literal('sticker'), ...sentFileField }),
  z.object({ type: z.literal('album'), items: z.array(sentItemSchema).min(2).max(FILE_LIMITS.albumItems) }),
]);

/** A content with files, as it goes to a worker. */
export type SentFileContent = z.output<typeof sentFileContentSchema>;
/** One of a type. */
export type SentFileContentOf<T extends SentFileContent['type']> = Extract<SentFileContent, { type: T }>;

/** The types of contents with files. */
export const FILE_CONTENT_TYPES: ReadonlySet<string> = new Set([...FILE_TYPES, 'album']);
