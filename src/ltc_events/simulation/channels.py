"""The channels that bring leads: how many, how good, how dear (R-7, R-11)."""

from dataclasses import dataclass
from typing import Final

from ltc_events.schemas.lead import Channel
from ltc_events.simulation.chance import Weighted


@dataclass(frozen=True, slots=True)
class Source:
    """What leads of a channel are like.

    `admitted` and `qualified`: percent of leads that pass screening, and of these, qualification. `wins`: points that the
    channel adds to the percent chance of winning. `hot`: percent that ask for a demo or a quote straight away.
    """

    channel: Channel
    origins: tuple[str, ...]
    admitted: int
    qualified: int
    wins: int
    hot: int
    online: bool = False
    activity: str | None = None


@dataclass(frozen=True, slots=True)
class Programme:
    """Campaigns on a channel: one begins every `every` days from day `first` on, and lasts `lasts` days.

    `lead_cost` is what a lead costs in euros, on the average. `event` means that leads come only while one lasts.
    """

    channel: Channel
    title: str
    first: int
    every: int
    lasts: int
    lead_cost: int
    event: bool = False

    def windows(self, days: int) -> list[range]:
        """The days, counted from 0, of each campaign that begins within `days`."""
        return [range(start, min(start + self.lasts, days)) for start in range(self.first, days, self.every)]


_C = Channel
SOURCES: Final = Weighted(
    (Source(_C.SOCIAL, ("LinkedIn", "YouTube", "XING"), 74, 50, -6, 6, online=True), 60),
    (Source(_C.PAID_SOCIAL, ("LinkedIn Ads", "Facebook Ads"), 66, 44, -10, 5, online=True), 80),
    (Source(_C.PAID_SEARCH, ("Google Ads", "Bing Ads"), 80, 60, -2, 18, online=True), 120),
    (Source(_C.ORGANIC_SEARCH, ("Google", "Bing", "DuckDuckGo"), 82, 64, 0, 14, online=True), 110),
    (Source(_C.DISPLAY, ("trade journal banner",), 62, 40, -12, 3, online=True), 25),
    (Source(_C.ADVERTISEMENT, ("Production Today", "Plant & Process"), 70, 50, -4, 6), 20),
    (Source(_C.EMAIL, ("newsletter", "spring mailing"), 78, 52, -2, 8, online=True), 60),
    (Source(_C.CONTENT, ("white paper", "e-book", "blog"), 80, 48, -4, 4, online=True, activity="content_download"), 70),
    (Source(_C.WEB_FORM, ("contact form", "quote request form"), 84, 66, 4, 30, online=True), 90),
    (Source(_C.DIRECT_TRAFFIC, ("website",), 76, 56, 0, 10, online=True), 30),
    (Source(_C.EXHIBITION, ("hall 3", "hall 7"), 84, 62, 2, 16, activity="exhibition"), 65),
    (Source(_C.SEMINAR, ("retrofit seminar", "energy seminar"), 86, 64, 4, 12, activity="technical_exchange"), 35),
    (Source(_C.LAUNCH, ("press line launch",), 80, 60, 2, 20, activity="showroom"), 20),
    (Source(_C.QUESTIONNAIRE, ("maintenance survey",), 68, 42, -6, 3, online=True), 20),
    (Source(_C.PERSONAL_NETWORK, ("colleague", "board member"), 92, 76, 12, 14, activity="visit"), 35),
    (Source(_C.REFERRAL, ("existing customer",), 95, 82, 18, 24), 50),
    (Source(_C.PARTNER, ("integrator", "reseller"), 90, 74, 10, 18, activity="joint_planning"), 40),
    (Source(_C.COLD_CALL, ("call list",), 58, 34, -12, 2), 20),
    (Source(_C.DIRECT_MAIL, ("catalogue",), 64, 40, -8, 3), 15),
    (Source(_C.PUBLIC_RELATIONS, ("press article",), 72, 50, -2, 6), 10),
    (Source(_C.ONLINE_STORE, ("spare parts shop",), 90, 78, 10, 40, online=True), 10),
    (Source(_C.OTHER, ("telephone enquiry",), 74, 52, 0, 10), 8),
    (Source(_C.UNKNOWN, ("not stated",), 70, 48, -4, 6), 7),
)
"""Every channel with its weight, out of 1,000."""

PROGRAMMES: Final = {
    programme.channel: programme
    for programme in (
        Programme(_C.SOCIAL, "Social presence", 0, 91, 91, 60),
        Programme(_C.PAID_SOCIAL, "Paid social", 0, 61, 54, 280),
        Programme(_C.PAID_SEARCH, "Search advertising", 0, 30, 30, 320),
        Programme(_C.DISPLAY, "Banner flight", 7, 90, 42, 300),
        Programme(_C.ADVERTISEMENT, "Trade journal", 10, 120, 60, 600),
        Programme(_C.EMAIL, "Mailing", 3, 28, 14, 40),
        Programme(_C.CONTENT, "White paper", 0, 91, 91, 110),
        Programme(_C.EXHIBITION, "Trade fair", 20, 110, 4, 1500, event=True),
        Programme(_C.SEMINAR, "Seminar", 12, 45, 2, 650, event=True),
        Programme(_C.LAUNCH, "Product launch", 25, 180, 5, 1100, event=True),
        Programme(_C.QUESTIONNAIRE, "Survey", 15, 100, 30, 90),
        Programme(_C.DIRECT_MAIL, "Catalogue dispatch", 5, 120, 45, 220),
    )
}
"""The channels that money is spent on."""

CHANNEL_WEIGHTS: Final = {source.channel: weight for source, weight in SOURCES.items()}
"""How many of 1,000 leads come through a channel."""
