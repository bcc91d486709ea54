import type { CategoryProfile, Profile, SessionClass } from "./profile.ts";

const MINUTE = 60_000;

function sessions(
  sizes: readonly [smallest: number, largest: number],
  share: number,
  decay: number,
  longestMinutes: number,
  [cart, buyFromCart, buyDirectly]: readonly [number, number, number],
): SessionClass {
  const [smallest, largest] = sizes;
  const longestMs = longestMinutes * MINUTE;
  return { smallest, largest, share, decay, longestMs, cart, buyFromCart, buyDirectly };
}

function category(
  name: string,
  share: number,
  [medianPrice, priceSpread]: readonly [number, number],
  brands: number,
  ...nouns: string[]
): CategoryProfile {
  return { name, share, medianPrice, priceSpread, nouns, brands };
}

/**
 * A multi-category electronics shop like the one whose events REES46 published (October 2019 to
 * April 2020, https://rees46.com/en/datasets): the default. `measure_profile.ts` has the published
 * figures; the numbers here were fitted to meet them.
 */
export const REES46: Profile = {
  name: "rees46",
  currency: "USD",
  products: 30_000,
  popularity: { offset: 10, decay: 0.9 },
  categories: [
    category("electronics.smartphone", 24, [280, 0.95], 9, "Smartphone", "Phone"),
    category("electronics.audio.headphone", 5, [115, 0.75], 12, "Headphones", "Earbuds"),
    category("electronics.clocks", 4, [190, 0.8], 10, "Smart Watch", "Watch"),
    category("electronics.video.tv", 4, [340, 0.6], 8, '43" TV', '55" TV', '65" TV'),
    category("electronics.tablet", 2, [260, 0.6], 6, "Tablet"),
    category("computers.notebook", 5, [520, 0.55], 8, '13" Notebook', '15" Notebook'),
    category("computers.desktop", 2, [400, 0.6], 6, "Desktop PC", "Mini PC"),
    category("computers.peripherals.mouse", 1, [28, 0.7], 8, "Mouse, wireless", "Mouse"),
    category("computers.components.videocards", 1, [230, 0.6], 4, "Graphics Card"),
    category("appliances.kitchen.refrigerators", 3, [420, 0.5], 8, "Refrigerator"),
    category("appliances.kitchen.washer", 3, [310, 0.4], 8, "Washing Machine"),
    category("appliances.kitchen.microwave", 1, [85, 0.4], 7, "Microwave Oven"),
    category("appliances.kitchen.kettle", 1, [32, 0.5], 9, "Kettle"),
    category("appliances.environment.vacuum", 3, [120, 0.6], 8, "Vacuum Cleaner", "Robot Vacuum"),
    category("appliances.personal.massager", 0.6, [70, 0.7], 5, "Massager"),
    category("apparel.shoes", 4, [75, 0.6], 14, "Shoes", "Boots", "Sandals"),
    category("apparel.shoes.keds", 1.5, [65, 0.5], 10, "Sneakers"),
    category("furniture.living_room.sofa", 1, [270, 0.5], 5, "Sofa, three seats", "Sofa"),
    category("furniture.bedroom.bed", 0.8, [220, 0.5], 4, "Bed"),
    category("kids.carriage", 0.8, [170, 0.5], 6, "Pram", "Stroller"),
    category("auto.accessories.player", 0.8, [85, 0.6], 5, "Car Radio"),
    category("sport.bicycle", 0.6, [260, 0.5], 5, '28" Bicycle', "Bicycle"),
    category("construction.tools.drill", 0.7, [85, 0.5], 6, "Drill", "Hammer Drill"),
    category("accessories.bag", 0.5, [40, 0.6], 8, "Bag", "Backpack"),
    category("", 31.8, [62, 1.3], 40, "Case", "Lamp", "Table", "Toy", "Perfume", "Blender"),
  ],
  unbranded: 0.144,
  prices: { lowest: 0.77, highest: 2574.07 },
  promotions: 0.02,
  sessions: [
    sessions([1, 1], 0.4055, 0, 0, [0, 0, 0]),
    sessions([2, 2], 0.1535, 0, 30, [0.095, 0, 0.0075]),
    sessions([3, 5], 0.2125, 1.2, 30, [0.2, 0.57, 0.0135]),
    sessions([6, 10], 0.126, 1.25, 60, [0.24, 0.58, 0.0135]),
    sessions([11, 20], 0.07, 1.55, 90, [0.3, 0.45, 0.013]),
    sessions([21, 50], 0.0289, 2.6, 120, [0.36, 0.42, 0.013]),
    sessions([51, 180], 0.0036, 3, 120, [0.4, 0.42, 0.013]),
  ],
  duration: { medianMs: 67_000, growth: 0.85, spread: 1.25 },
  cart: { addMore: 0.6, takeBack: 0.54, anotherPiece: 0.06 },
  browsing: { seenAgain: 0.34, sameCategory: 0.4 },
  // deno-fmt-ignore
  hours: [
    0.36, 0.56, 0.84, 1.08, 1.22, 1.28, 1.30, 1.31, 1.31, 1.31, 1.31, 1.30,
    1.30, 1.33, 1.40, 1.44, 1.40, 1.24, 0.98, 0.70, 0.48, 0.36, 0.30, 0.30,
  ],
  weekdays: [1.06, 0.95, 0.96, 0.98, 0.98, 1.0, 1.07],
  peaks: { probability: 1 / 45, lowest: 1.6, highest: 2.6 },
  users: { sessions28d: 16, stayDays: 7, staySpread: 1.3 },
  devices: [
    { value: "desktop", weight: 58 },
    { value: "mobile", weight: 40 },
    { value: "tablet", weight: 2 },
  ],
  mainDevice: 0.85,
  countries: [
    { value: "RU", weight: 46 },
    { value: "KZ", weight: 18 },
    { value: "UA", weight: 9 },
    { value: "BY", weight: 7 },
    { value: "UZ", weight: 5 },
    { value: "GE", weight: 3 },
    { value: "AM", weight: 3 },
    { value: "AZ", weight: 2 },
    { value: "PL", weight: 2 },
    { value: "DE", weight: 2 },
    { value: "TR", weight: 2 },
    { value: "US", weight: 1 },
  ],
};
