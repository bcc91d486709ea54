/** Where an event was seen first, and with which content. */
export interface SeenEvent {
  /** Signed 64-bit number as decimal text. */
  readonly contentHash: string;
  /** Position of the file among those that are read. */
  readonly file: number;
  readonly line: number;
}

const WORDS_OF_ID = 4;
const NOBODY = -1;

/**
 * Events by id, some 60 bytes each whatever their number: a hash table of typed arrays with linear probing. What was
 * added last can be taken out again, as when the file that it came from turns out not to be loaded.
 */
export class EventIndex {
  #size = 0;
  #ids = new Uint32Array(0);
  #hashes = new BigInt64Array(0);
  #files = new Int32Array(0);
  #lines = new Int32Array(0);
  /** Numbers of events by hash, {@linkcode NOBODY} where free; at most half of them taken. */
  #slots = new Int32Array(0);
  readonly #id = new Uint32Array(WORDS_OF_ID);

  constructor() {
    this.#grow(1024);
  }

  /** Number of events. */
  get size(): number {
    return this.#size;
  }

  /** @param id UUID in lower case */
  find(id: string): SeenEvent | undefined {
    this.#read(id);
    const event = this.#slots[this.#slotOf(this.#id, 0)]!;
    if (event === NOBODY) return undefined;
    return {
      contentHash: String(this.#hashes[event]),
      file: this.#files[event]!,
      line: this.#lines[event]!,
    };
  }

  /** Adds an event whose id is not in here yet. */
  add(id: string, { contentHash, file, line }: SeenEvent): void {
    if (2 * (this.#size + 1) > this.#slots.length) this.#grow(2 * this.#slots.length);
    this.#read(id);
    this.#ids.set(this.#id, this.#size * WORDS_OF_ID);
    this.#hashes[this.#size] = BigInt(contentHash);
    this.#files[this.#size] = file;
    this.#lines[this.#size] = line;
    this.#slots[this.#slotOf(this.#id, 0)] = this.#size++;
  }

  /** Takes out the events added last, until so many are left. */
  truncate(size: number): void {
    // Nothing was placed behind the youngest event, so that freeing its slot breaks no chain.
    while (this.#size > size) {
      this.#slots[this.#slotOf(this.#ids, --this.#size * WORDS_OF_ID)] = NOBODY;
    }
  }

  /** The slot that has the id, else the free one where it belongs. */
  #slotOf(words: Uint32Array, at: number): number {
    const mask = this.#slots.length - 1;
    let hash = 0;
    for (let word = 0; word < WORDS_OF_ID; word++) {
      hash = Math.imul(hash ^ words[at + word]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const event = this.#slots[slot]!;
      if (event === NOBODY || this.#isAt(event, words, at)) return slot;
    }
  }

  #isAt(event: number, words: Uint32Array, at: number): boolean {
    const own = event * WORDS_OF_ID;
    for (let word = 0; word < WORDS_OF_ID; word++) {
      if (this.#ids[own + word] !== words[at + word]) return false;
    }
    return true;
  }

  #read(id: string): void {
    const digits = id.replaceAll("-", "");
    for (let word = 0; word < WORDS_OF_ID; word++) {
      this.#id[word] = parseInt(digits.slice(8 * word, 8 * word + 8), 16);
    }
  }

  #grow(slots: number): void {
    const events = slots / 2;
    const [ids, hashes, files, lines] = [this.#ids, this.#hashes, this.#files, this.#lines];
    this.#ids = new Uint32Array(events * WORDS_OF_ID);
    this.#hashes = new BigInt64Array(events);
    this.#files = new Int32Array(events);
    this.#lines = new Int32Array(events);
    this.#ids.set(ids);
    this.#hashes.set(hashes);
    this.#files.set(files);
    this.#lines.set(lines);
    this.#slots = new Int32Array(slots).fill(NOBODY);
    for (let event = 0; event < this.#size; event++) {
      this.#slots[this.#slotOf(this.#ids, event * WORDS_OF_ID)] = event;
    }
  }
}
