import { EVENT_TYPES } from "../shop_events.ts";
import type { Catalog } from "./create_catalog.ts";
import type { Session } from "./find_sessions.ts";
import type { Prng } from "./prng.ts";
import type { Profile } from "./profile.ts";

const VIEW = EVENT_TYPES.indexOf("product_view");
const ADD = EVENT_TYPES.indexOf("add_to_cart");
const REMOVE = EVENT_TYPES.indexOf("remove_from_cart");
const PURCHASE = EVENT_TYPES.indexOf("purchase");
const MOST_PIECES = 20;

/**
 * Walks users through the funnel: view, add to cart, remove from it, buy. Every session begins with
 * a view; what is added has been viewed, what is removed was in the cart, and an order buys the
 * cart, one line a product, all lines at one time.
 *
 * It holds the steps of the session walked last, in columns that are used again: a stream at a high
 * rate has a million steps under way, and an object for each would cost more than all else.
 */
export class SessionWalker {
  /** Steps of the session walked last. */
  count = 0;
  /** Of each step, an index into `EVENT_TYPES`. */
  readonly types: Uint8Array;
  /** Of each step, an index into the catalogue. */
  readonly products: Uint32Array;
  /** Of each step, from 1. */
  readonly quantities: Uint16Array;
  /** Of each step, epoch milliseconds, whole; in order. */
  readonly times: Float64Array;
  private readonly seen: Uint32Array;
  private views = 0;
  private readonly cart = new Map<number, number>();

  /** @param prng Where random numbers come from; the caller restarts it for each session. */
  constructor(
    private readonly profile: Profile,
    private readonly catalog: Catalog,
    private readonly prng: Prng,
  ) {
    const most = Math.max(...profile.sessions.map(({ largest }) => largest));
    this.types = new Uint8Array(most);
    this.products = new Uint32Array(most);
    this.quantities = new Uint16Array(most);
    this.times = new Float64Array(most);
    this.seen = new Uint32Array(most);
  }

  /** Walks through a session: when, for how long, and how many steps. */
  walk(session: Session): void {
    const { size } = session;
    const { prng, cart } = this;
    this.count = 0;
    this.views = 0;
    cart.clear();
    let { additions, takeBacks, buys } = drawIntent(session, this.profile, prng);
    let current = this.catalog.popular.pick(prng.uniform());
    this.view(current);
    while (this.count < size) {
      // Taking back must leave something to buy.
      const mayTakeBack = cart.size > (buys && additions === 0 ? 1 : 0);
      if (additions === 0 && !mayTakeBack) takeBacks = 0;
      const lines = buys ? Math.max(1, cart.size + additions - takeBacks) : 0;
      const views = Math.max(0, size - this.count - additions - takeBacks - lines);
      const canBuy = buys && additions === 0 && takeBacks === 0;
      const others = additions + (mayTakeBack ? takeBacks : 0) + (canBuy ? 1 : 0);
      const choice = others === 0 ? 0 : prng.below(views + others);
      if (others === 0 || choice < views) {
        current = this.nextProduct(current);
        this.view(current);
      } else if (choice < views + additions) {
        const quantity = this.drawQuantity();
        cart.set(current, (cart.get(current) ?? 0) + quantity);
        this.step(ADD, current, quantity);
        additions--;
      } else if (!canBuy) {
        const product = [...cart.keys()][prng.below(cart.size)]!;
        this.step(REMOVE, product, cart.get(product)!);
        cart.delete(product);
        takeBacks--;
      } else {
        if (cart.size === 0) cart.set(current, this.drawQuantity());
        for (const [product, quantity] of [...cart].slice(0, size - this.count)) {
          this.step(PURCHASE, product, quantity);
        }
        buys = false;
      }
    }
    this.setTimes(session);
  }

  private view(product: number): void {
    this.seen[this.views++] = product;
    this.step(VIEW, product, 1);
  }

  private step(type: number, product: number, quantity: number): void {
    const { count } = this;
    this.types[count] = type;
    this.products[count] = product;
    this.quantities[count] = quantity;
    this.count = count + 1;
  }

  private nextProduct(current: number): number {
    const { profile: { browsing }, catalog, prng } = this;
    const how = prng.uniform();
    if (how < browsing.seenAgain) return this.seen[prng.below(this.views)]!;
    if (how < browsing.seenAgain + browsing.sameCategory) {
      const { products, popular } = catalog.members[catalog.groups[current]!]!;
      return products[popular.pick(prng.uniform())]!;
    }
    return catalog.popular.pick(prng.uniform());
  }

  private drawQuantity(): number {
    const { profile: { cart }, prng } = this;
    let quantity = 1;
    while (quantity < MOST_PIECES && prng.uniform() < cart.anotherPiece) quantity++;
    return quantity;
  }

  /** Divides the session's duration among its steps by exponential think times. */
  private setTimes({ start, durationMs }: Session): void {
    const { times, types, count, prng } = this;
    let thoughts = 0;
    for (let index = 0; index < count; index++) {
      const laterLine = types[index] === PURCHASE && types[index - 1] === PURCHASE;
      if (index > 0 && !laterLine) thoughts += prng.exponential();
      times[index] = thoughts;
    }
    const pace = thoughts === 0 ? 0 : durationMs / thoughts;
    for (let index = 0; index < count; index++) {
      times[index] = start + Math.floor(times[index]! * pace);
    }
  }
}

/** How often the user will add and take back, and whether he buys: as much as fits the size. */
function drawIntent({ size, sessionClass }: Session, { cart }: Profile, prng: Prng) {
  const hasCart = prng.uniform() < sessionClass.cart;
  const chance = hasCart ? sessionClass.buyFromCart : sessionClass.buyDirectly;
  const buys = prng.uniform() < chance && size > (hasCart ? 2 : 1);
  if (!hasCart || size === 1) return { additions: 0, takeBacks: 0, buys };

  const room = size - 1 - (buys ? 1 : 0);
  let additions = 1;
  while (additions < Math.floor((room + 1) / 2) && prng.uniform() < cart.addMore) additions++;
  let takeBacks = 0;
  for (let kept = buys ? 1 : 0; kept < additions; kept++) {
    if (takeBacks < room - additions && prng.uniform() < cart.takeBack) takeBacks++;
  }
  return { additions, takeBacks, buys };
}
