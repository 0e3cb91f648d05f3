import { z } from 'zod';

/** The kinds of files that messages carry. Each kind has keys of its own. */
const MEDIA_KINDS = ['image', 'video', 'audio', 'document', 'sticker'] as const;

/** The maximum lengths of a file's texts. Longer ones are cut; a file whose path is longer is left out. */
export const MEDIA_TEXT_LIMITS = { mimetype: 255, fileName: 1_024, directPath: 2_048 } as const;

/**
 * What a message contains about a file, enough to fetch and open it. All of it is the sender's claim. Bytes are base64.
 */
export const mediaFileSchema = z.object({
  kind: z.enum(MEDIA_KINDS),
  mimetype: z.string(),
  /** Documents. */
  fileName: z.string().optional(),
  /** Bytes, of the file itself. */
  length: z.number().optional(),
  /** Where it lies on WhatsApp's media host, encrypted. */
  directPath: z.string(),
  mediaKey: z.base64(),
  /** SHA-256 of the file, and of what lies on the media host. */
  sha256: z.base64().optional(),
  encryptedSha256: z.base64().optional(),
});

export type MediaFile = z.infer<typeof mediaFileSchema>;
