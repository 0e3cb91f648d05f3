/** What JPEG names its parts. */
const JPEG = { EOI: 0xd9, SOS: 0xda, APP0: 0xe0, APP2: 0xe2, APP14: 0xee, APP15: 0xef };
/** Markers without content, and the zero that follows a byte 0xff of the picture. */
const isWithin = (/** @type {number} */ code) => code === 0 || (code >= 0xd0 && code <= 0xd7);
const ICC = Buffer.from('ICC_PROFILE\0', 'latin1');

const PNG_SIGNATURE = 8;
/** EXIF, and texts: XMP is one, and so is the EXIF of some programs. */
const PNG_METADATA = new Set(['eXIf', 'tEXt', 'zTXt', 'iTXt']);

/**
 * The picture without what says where, when and with which camera it was taken: EXIF, XMP, IPTC, and what follows the
 * picture in the file, such as a second picture or a video of a phone. Pixels and colour profile stay as they are.
 *
 * @param {Buffer} file a picture that could be decoded
 * @param {'jpeg' | 'png'} format
 * @returns {Buffer | undefined} the file itself if there is nothing to leave out; undefined if its parts cannot be
 *   distinguished
 */
export function withoutMetadata(file, format) {
  const kept = format === 'jpeg' ? keptOfJpeg(file) : keptOfPng(file);
  if (kept === undefined) return undefined;
  const bare = Buffer.concat(kept);
  return bare.length === file.length ? file : bare;
}

/** @param {Buffer} file */
function keptOfJpeg(file) {
  const kept = [file.subarray(0, 2)];
  let position = 2;
  for (;;) {
    // Any number of 0xff may stand before a marker.
    const code = file[position + 1];
    if (file[position] !== 0xff || code === undefined) return undefined;
    if (code === 0xff) {
      position += 1;
      continue;
    }
    if (code === JPEG.EOI) return [...kept, file.subarray(position, position + 2)];
    if (position + 4 > file.length) return undefined;
    let end = position + 2 + file.readUInt16BE(position + 2);
    if (end > file.length) return undefined;
    const isKept = !isJpegMetadata(code, file.subarray(position + 4, end));
    if (code === JPEG.SOS) end = endOfScan(file, end);
    if (isKept) kept.push(file.subarray(position, end));
    position = end;
  }
}

/**
 * @param {number} code
 * @param {Buffer} content
 */
function isJpegMetadata(code, content) {
  if (code === JPEG.APP0 || code === JPEG.APP14) return false;
  if (code === JPEG.APP2) return !content.subarray(0, ICC.length).equals(ICC);
  return code > JPEG.APP0 && code <= JPEG.APP15;
}

/**
 * @param {Buffer} file
 * @param {number} from
 * @returns the position of the next marker
 */
function endOfScan(file, from) {
  let position = file.indexOf(0xff, from);
  while (position !== -1 && isWithin(file[position + 1] ?? JPEG.EOI)) {
    position = file.indexOf(0xff, position + 2);
  }
  return position === -1 ? file.length : position;
}

/** @param {Buffer} file */
function keptOfPng(file) {
  const kept = [file.subarray(0, PNG_SIGNATURE)];
  let position = PNG_SIGNATURE;
  while (position + 12 <= file.length) {
    const end = position + 12 + file.readUInt32BE(position);
    const type = file.toString('latin1', position + 4, position + 8);
    if (end > file.length) return undefined;
    if (!PNG_METADATA.has(type)) kept.push(file.subarray(position, end));
    if (type === 'IEND') return kept;
    position = end;
  }
  return undefined;
}
