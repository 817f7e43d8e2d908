"""Who the people and companies of the simulation are. All of it is made up."""

from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES: Final = _words(
    "Anna Bea Carla Dana Elif Frida Greta Hanna Ines Jana Karin Lena Maja Nora Olga Petra Rosa Sara Tessa Ulla Arne "
    "Boris Claus Deniz Emil Felix Georg Henrik Ivo Jonas Kurt Lars Milan Nils Oskar Pavel Ralf Stefan Timo Viktor"
)
SURNAMES: Final = _words(
    "Ahrens Bachmann Castell Dorn Eilers Falk Gruber Hartwig Imhoff Jansen Keller Lindner Maurer Nowak Olsen Petersen "
    "Quandt Reuter Sandner Thiele Uhlig Vogt Wegener Yilmaz Zeller Adler Brandt Conrad Dietz Engel Frey Gerlach "
    "Hauser Isler Jung Kessler Lorenz Moser Neumann Ortmann Paulsen Rieger Seidel Tremmel Urban Voss Winkler Zander "
    "Arnold Busch"
)
TRADES: Final = (
    ("Maschinenbau", "machinery"),
    ("Metallwerk", "metal"),
    ("Druckguss", "metal"),
    ("Kunststoff", "plastics"),
    ("Verpackung", "packaging"),
    ("Papier", "paper"),
    ("Molkerei", "food"),
    ("Backwaren", "food"),
    ("Brauerei", "food"),
    ("Pharma", "pharmaceuticals"),
    ("Chemie", "chemicals"),
    ("Textil", "textiles"),
    ("Holz", "wood"),
    ("Logistik", "logistics"),
    ("Automobilteile", "automotive"),
    ("Fahrzeugbau", "automotive"),
    ("Elektronik", "electronics"),
    ("Glas", "glass"),
    ("Baustoffe", "construction"),
    ("Energie", "energy"),
    ("Stadtwerke", "public"),
    ("Medizintechnik", "medical"),
    ("Werkzeuge", "tools"),
    ("Umwelttechnik", "recycling"),
)
LEGAL_FORMS: Final = ("GmbH", "GmbH", "GmbH & Co. KG", "AG", "KG", "SE", "e.K.")
PLACES: Final = (
    ("DE", "north", "+49 40"),
    ("DE", "north", "+49 421"),
    ("DE", "east", "+49 30"),
    ("DE", "east", "+49 341"),
    ("DE", "south", "+49 89"),
    ("DE", "south", "+49 711"),
    ("DE", "west", "+49 221"),
    ("DE", "west", "+49 211"),
    ("AT", "south", "+43 1"),
    ("NL", "west", "+31 20"),
    ("BE", "west", "+32 2"),
    ("FI", "north", "+358 9"),
)
CASH_ROUNDING_COUNTRIES: Final = frozenset({"NL", "BE", "FI"})
"""Where cash is rounded to five cents."""

SELLERS: Final = {
    "north": ("Hedda Brook", "Jasper Thorn", "Mirko Sand", "Linde Kuhn"),
    "east": ("Ada Winter", "Falko Berg", "Ruth Amsel", "Sven Horn"),
    "south": ("Toni Huber", "Vera Stein", "Luis Acker", "Gitta Roth"),
    "west": ("Mats Becker", "Nele Funk", "Omar Lenz", "Paula Weiss"),
}
MANAGERS: Final = {"north": "Iris Hansen", "east": "Boris Krahl", "south": "Erna Moser", "west": "Cem Arslan"}
DIRECTOR: Final = "Dr. Alma Sommer"
MARKETER: Final = "Kai Prinz"
SCREENER: Final = "Wanda Klug"
BILLER: Final = "Otto Zahn"
CASHIER: Final = "Rosa Pfennig"
COLLECTOR: Final = "Gerd Mahler"
DISPATCHER: Final = "Jule Kran"
SERVICE: Final = "Finn Lotse"
CLOCK: Final = "clock"
WEBSITE: Final = "website"

NEEDS: Final = (
    "Replace an ageing press line",
    "Monitor the vibration of twelve spindles",
    "More output from the packaging line",
    "Fewer stops on the night shift",
    "Retrofit controllers before the audit",
    "Spare parts at short notice",
    "Train new operators",
    "Calibrated temperature readings for the regulator",
    "A second conveyor between halls",
    "Energy readings per machine",
)
PAINS: Final = (
    "unplanned stops",
    "scrap above 4 percent",
    "no readings at night",
    "long changeovers",
    "supplier went out of business",
)
FEATURES: Final = ("remote access", "alarm by text message", "open interface", "quick changeover", "low noise")
REJECTIONS: Final = (
    ("specific_customer", "a trend in the trade press, no customer behind it"),
    ("potential_intent", "a student's thesis"),
    ("potential_intent", "wants brochures only"),
    ("can_take_part", "outside of what we build"),
    ("can_take_part", "country that we do not deliver to"),
)
DISQUALIFICATIONS: Final = (
    "no budget this year",
    "no answer after three attempts",
    "project stopped",
    "chose to repair",
    "already ordered elsewhere",
)
DISCOUNT_REASONS: Final = (
    "volume",
    "introductory offer",
    "competitor's offer matched",
    "framework terms",
    "long-standing customer",
)
COMPETITORS: Final = ("Nordpress", "Sensoria", "Kraftlin", "Vibrotek")
CARRIERS: Final = ("Hansa Cargo", "Rhein Express", "Alpentrans")
