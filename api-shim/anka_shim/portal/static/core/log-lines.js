// @ts-check
/**
 * Central logs, line by line. Pure.
 *
 * @typedef {{n: number, at: string, level: string, logger: string, message: string, fields: Record<string, unknown>}} LogLine
 */

/** From the least to the gravest, as our processes write them. */
export const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/** What a line of another format counts as: shown unless somebody asks for the grave ones. */
const UNKNOWN = "INFO";

/** Bytes come in pieces that end anywhere. */
export class LineSplitter {
  constructor() {
    this.decoder = new TextDecoder();
    this.rest = "";
  }

  /** The lines that are complete with this piece. @param {Uint8Array} piece @returns {string[]} */
  add(piece) {
    const lines = (this.rest + this.decoder.decode(piece, { stream: true })).split("\n");
    this.rest = lines.pop() ?? "";
    return lines.filter((line) => line.trim());
  }

  /** What stands after the last line break. @returns {string[]} */
  end() {
    const rest = this.rest + this.decoder.decode();
    this.rest = "";
    return rest.trim() ? [rest] : [];
  }
}

/** @param {string} text @param {number} n @returns {LogLine} */
export function parseLine(text, n) {
  const object = parseObject(text);
  if (!object) return { n, at: "", level: UNKNOWN, logger: "", message: text, fields: {} };
  const { ts, level, levelname, logger, message, name, time, ...fields } = object;
  // The event log has no message and no level: the event's name says what happened.
  const at = typeof ts === "string" ? ts : typeof time === "number" ? new Date(time * 1000).toISOString() : "";
  const found = String(level ?? levelname ?? UNKNOWN).toUpperCase();
  return {
    n, at, level: found, logger: String(logger ?? ""), message: String(message ?? name ?? text),
    fields: message === undefined || name === undefined ? fields : { ...fields, name },
  };
}

/** @param {string} text @returns {Record<string, unknown> | null} */
function parseObject(text) {
  if (!text.startsWith("{")) return null;
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? value : null;
  } catch {
    return null; // the first line of an excerpt may lack its beginning
  }
}

/** @param {LogLine} line @param {string | undefined} level the least that is shown */
export function isGraveEnough(line, level) {
  const least = LEVELS.indexOf(level ?? "");
  const own = LEVELS.indexOf(line.level);
  return least <= 0 || (own < 0 ? LEVELS.indexOf(UNKNOWN) : own) >= least;
}

/** What a search looks at. @param {LogLine} line */
export function textOf(line) {
  return `${line.message} ${line.logger} ${describeFields(line.fields)}`;
}

/** `instance=ci/x ms=12` @param {Record<string, unknown>} fields */
export function describeFields(fields) {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

/** Keeps the newest. */
export class LineBuffer {
  /** @param {number} limit */
  constructor(limit) {
    this.limit = limit;
    /** @type {LogLine[]} */
    this.lines = [];
    this.count = 0;
    this.dropped = 0;
  }

  clear() {
    this.lines = [];
    this.count = 0;
    this.dropped = 0;
  }

  /** @param {string[]} texts */
  add(texts) {
    for (const text of texts) this.lines.push(parseLine(text, ++this.count));
    const over = this.lines.length - this.limit;
    if (over > 0) {
      this.lines.splice(0, over);
      this.dropped += over;
    }
  }
}
