/** The zones of rows through whole runs: the zone that decides is the zone that is written. */
import { expect, it } from "vitest";
import { Shop, T0 } from "../support/run-shop.js";

/** Ten at most: the clock stands, and what goes out in a second is limited. */
const ZONE_OF: Readonly<Record<string, string | null>> = {
  berlin: "Europe/Berlin",
  lower: "europe/berlin",
  unsaid: null,
  empty: "",
  blank: "Europe/Berlin ",
  offset: "+02:00",
  minus: "\u221202:00",
  abbreviation: "PST",
  time: "2026-03-02T12:00[Europe/Berlin]",
};

it("what isn't an IANA zone counts as the project's, in quiet hours and in {{date}}, and the run names it", async () => {
  const shop = await Shop.sending(Object.keys(ZONE_OF));
  const zones = Object.entries(ZONE_OF).map(([user, zone]) => `when '${user}' then ${zone === null ? "null" : `'${zone}'`}`);
  shop.edit("segments/cart.sql", "select user_id,", `select case user_id ${zones.join(" ")} end as timezone, user_id,`);
  // At T0 it is 4:00 in Los Angeles and 13:00 in Berlin.
  shop.edit("opportune.yml", "policy:", 'policy:\n  timezone: America/Los_Angeles\n  quiet_hours: {from: "22:00", to: "04:00"}');
  shop.edit("templates/cart.hbs", "is saved.", 'is saved at {{date "2026-03-02T12:00:00Z" "time"}}.');
  const { decisions } = await shop.run(T0);
  expect(decisions.unknownZones.toSorted()).toEqual(["+02:00", "2026-03-02T12:00[Europe/Berlin]", "Europe/Berlin ", "PST", "\u221202:00"]);
  const hours = shop.mails().map((mail) => [
    mail.personalizations[0]?.to[0]?.email.split("@")[0],
    /saved at (\d+:\d+).([AP]M)/
      .exec(mail.content[0]?.value ?? "")
      ?.slice(1)
      .join(" "),
  ]);
  expect(Object.fromEntries(hours)).toEqual(
    Object.fromEntries(Object.keys(ZONE_OF).map((user) => [user, user === "berlin" || user === "lower" ? "1:00 PM" : "4:00 AM"])),
  );
});

it("an hour earlier it is night where the project is, and day for those whose zone is known", async () => {
  const shop = await Shop.sending(["berlin", "abbreviation"]);
  shop.edit("segments/cart.sql", "select user_id,", "select case user_id when 'berlin' then 'Europe/Berlin' else 'PST' end as timezone, user_id,");
  shop.edit("opportune.yml", "policy:", 'policy:\n  timezone: America/Los_Angeles\n  quiet_hours: {from: "22:00", to: "05:00"}');
  await shop.run(T0);
  expect((await shop.story("event <> 'sending'")).toSorted()).toEqual([
    "abbreviation waiting quiet_hours",
    "berlin accepted accepted",
    "berlin claimed claimed",
  ]);
});
