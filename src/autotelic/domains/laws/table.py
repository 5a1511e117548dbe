"""Public formulas of physics and chemistry, each with the units of its variables; and laws of rules.

Constants of nature are variables here, as in the Feynman set (Udrescu and Tegmark, Science Advances 6, 2020), because
a law is to be found from readings alone. A row is `name | unit | formula | symbols with units`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from autotelic.domains.expressions import Formula, FormulaError, parse
from autotelic.domains.laws.units import Unit, UnitError, unit, unit_of
from autotelic.errors import DomainError

SYMBOLS = "abcdefg"
"""What variables are called in a task: a name would give the law away."""

ROWS = """
uniform motion | m | v*t | v m/s, t s
speed from rest | m/s | a*t | a m/s^2, t s
fall from rest | m | g*t^2/2 | g m/s^2, t s
speed after a fall | m/s | sqrt(2*g*h) | g m/s^2, h m
time of a fall | s | sqrt(2*h/g) | h m, g m/s^2
momentum | kg*m/s | m*v | m kg, v m/s
second law | N | m*a | m kg, a m/s^2
kinetic energy | J | m*v^2/2 | m kg, v m/s
spring force | N | k*x | k N/m, x m
spring energy | J | k*x^2/2 | k N/m, x m
work | J | F*d | F N, d m
power of a force | W | F*v | F N, v m/s
mean power | W | E/t | E J, t s
pressure | Pa | F/A | F N, A m^2
density | kg/m^3 | m/V | m kg, V m^3
impulse | kg*m/s | F*t | F N, t s
centripetal acceleration | m/s^2 | v^2/r | v m/s, r m
angular speed | Hz | v/r | v m/s, r m
torque | J | F*r | F N, r m
rotational energy | J | I*w^2/2 | I kg*m^2, w Hz
angular momentum | kg*m^2/s | I*w | I kg*m^2, w Hz
period of a pendulum | s | 6.283185*sqrt(l/g) | l m, g m/s^2
period of a spring | s | 6.283185*sqrt(m/k) | m kg, k N/m
wave speed | m/s | f*l | f Hz, l m
Ohm's law | V | I*R | I A, R ohm
electric power | W | U*I | U V, I A
power in a resistor | W | I^2*R | I A, R ohm
power by voltage | W | U^2/R | U V, R ohm
charge of a capacitor | C | C*U | C F, U V
energy of a capacitor | J | C*U^2/2 | C F, U V
energy by charge | J | Q^2/(2*C) | Q C, C F
energy of a coil | J | L*I^2/2 | L H, I A
charge by current | C | I*t | I A, t s
field of a plate gap | V/m | U/d | U V, d m
force on a charge | N | q*E | q C, E V/m
time constant RC | s | R*C | R ohm, C F
time constant RL | s | L/R | L H, R ohm
resonance of LC | Hz | 1/sqrt(L*C) | L H, C F
photon energy | J | h*f | h J*s, f Hz
rest energy | J | m*c^2 | m kg, c m/s
de Broglie length | m | h/p | h J*s, p kg*m/s
thermal energy | J | k*T | k J/K, T K
heat power of a gap | W | G*T | G W/K, T K
entropy of heat | J/K | Q/T | Q J, T K
moles | mol | m/M | m kg, M kg/mol
area of a circle | m^2 | 3.141593*r^2 | r m
volume of a sphere | m^3 | 4.18879*r^3 | r m
area of a sphere | m^2 | 12.566371*r^2 | r m
volume of a cylinder | m^3 | 3.141593*r^2*h | r m, h m
diagonal | m | sqrt(x^2+y^2) | x m, y m
reduced mass | kg | m*n/(m+n) | m kg, n kg
resistors side by side | ohm | R*S/(R+S) | R ohm, S ohm
lens | m | f*g/(f+g) | f m, g m
sound in a bar | m/s | sqrt(E/r) | E Pa, r kg/m^3
wave on a string | m/s | sqrt(F/u) | F N, u kg/m
deep water wave | m/s | sqrt(g*l/6.283185) | g m/s^2, l m
shallow water wave | m/s | sqrt(g*h) | g m/s^2, h m
Stefan and Boltzmann | W/m^2 | s*T^4 | s W/m^2/K^4, T K
Wien | m | b/T | b m*K, T K
radioactive activity | Hz | N*l | N 1, l Hz
potential energy | J | m*g*h | m kg, g m/s^2, h m
gravitation of a field | m/s^2 | G*M/r^2 | G N*m^2/kg^2, M kg, r m
gravitational potential | J/kg | -G*M/r | G N*m^2/kg^2, M kg, r m
escape speed | m/s | sqrt(2*G*M/r) | G N*m^2/kg^2, M kg, r m
orbital speed | m/s | sqrt(G*M/r) | G N*m^2/kg^2, M kg, r m
period of an orbit | s | 6.283185*sqrt(r^3/(G*M)) | r m, G N*m^2/kg^2, M kg
centripetal force | N | m*v^2/r | m kg, v m/s, r m
motion from a speed | m | v*t+a*t^2/2 | v m/s, t s, a m/s^2
end speed | m/s | v+a*t | v m/s, a m/s^2, t s
speed after a way | m/s | sqrt(v^2+2*a*s) | v m/s, a m/s^2, s m
hydrostatic pressure | Pa | r*g*h | r kg/m^3, g m/s^2, h m
buoyancy | N | r*g*V | r kg/m^3, g m/s^2, V m^3
dynamic pressure | Pa | r*v^2/2 | r kg/m^3, v m/s
flow | m^3/s | A*v | A m^2, v m/s
friction in a fluid | N | 18.849556*n*r*v | n Pa*s, r m, v m/s
Reynolds number | 1 | r*v*l/n | r kg/m^3, v m/s, l m, n Pa*s
drag | N | c*r*A*v^2/2 | c 1, r kg/m^3, A m^2, v m/s
sound in a gas | m/s | sqrt(y*p/r) | y 1, p Pa, r kg/m^3
ideal gas | Pa | n*R*T/V | n mol, R J/mol/K, T K, V m^3
mean energy of a gas | J | 1.5*n*R*T | n mol, R J/mol/K, T K
rms speed | m/s | sqrt(3*k*T/m) | k J/K, T K, m kg
heat | J | c*m*T | c J/kg/K, m kg, T K
heat conduction | W | k*A*T/d | k W/m/K, A m^2, T K, d m
Newton's cooling | W | h*A*(T-U) | h W/m^2/K, A m^2, T K, U K
radiated power | W | s*A*T^4 | s W/m^2/K^4, A m^2, T K
Carnot efficiency | 1 | 1-T/(T+U) | T K, U K
Boltzmann factor | 1 | exp(-E/(k*T)) | E J, k J/K, T K
Arrhenius | Hz | A*exp(-E/(R*T)) | A Hz, E J/mol, R J/mol/K, T K
decay | 1 | N*exp(-l*t) | N 1, l Hz, t s
discharge | V | U*exp(-t/(R*C)) | U V, t s, R ohm, C F
charging | V | U*(1-exp(-t/(R*C))) | U V, t s, R ohm, C F
current in a coil | A | U/R*(1-exp(-R*t/L)) | U V, R ohm, t s, L H
Coulomb force | N | k*q*p/r^2 | k N*m^2/C^2, q C, p C, r m
Coulomb potential | V | k*q/r | k N*m^2/C^2, q C, r m
gravitation | N | G*m*n/r^2 | G N*m^2/kg^2, m kg, n kg, r m
Lorentz force | N | q*v*B | q C, v m/s, B T
force on a wire | N | B*I*l | B T, I A, l m
gyroradius | m | m*v/(q*B) | m kg, v m/s, q C, B T
cyclotron frequency | Hz | q*B/m | q C, B T, m kg
field of a wire | T | u*I/(6.283185*r) | u N/A^2, I A, r m
field of a coil | T | u*N*I/l | u N/A^2, N 1, I A, l m
plate capacitor | F | e*A/d | e F/m, A m^2, d m
inductance of a coil | H | u*N^2*A/l | u N/A^2, N 1, A m^2, l m
resistance of a wire | ohm | r*l/A | r ohm*m, l m, A m^2
energy density | J/m^3 | e*E^2/2 | e F/m, E V/m
magnetic energy density | J/m^3 | B^2/(2*u) | B T, u N/A^2
induced voltage | V | B*l*v | B T, l m, v m/s
impedance | ohm | sqrt(R^2+(w*L)^2) | R ohm, w Hz, L H
reactance | ohm | 1/(w*C) | w Hz, C F
voltage divider | V | U*R/(R+S) | U V, R ohm, S ohm
relativistic sum | m/s | (u+v)/(1+u*v/c^2) | u m/s, v m/s, c m/s
energy and momentum | J | sqrt((p*c)^2+(m*c^2)^2) | p kg*m/s, c m/s, m kg
photoelectric energy | J | h*f-W | h J*s, f Hz, W J
Compton length | m | h/(m*c) | h J*s, m kg, c m/s
Doppler | Hz | f*c/(c+v) | f Hz, c m/s, v m/s
Snell | 1 | n*sin(t)/m | n 1, t 1, m 1
projectile range | m | v^2*sin(2*t)/g | v m/s, t 1, g m/s^2
law of cosines | m | sqrt(x^2+y^2-2*x*y*cos(t)) | x m, y m, t 1
harmonic motion | m | x*cos(w*t) | x m, w Hz, t s
lens maker | m | 1/(1/f+1/g) | f m, g m
Michaelis and Menten | mol/s | v*s/(k+s) | v mol/s, s mol/m^3, k mol/m^3
first order rate | mol/m^3/s | k*c | k Hz, c mol/m^3
osmotic pressure | Pa | c*R*T | c mol/m^3, R J/mol/K, T K
diffusion length | m | sqrt(2*D*t) | D m^2/s, t s
logistic rate | Hz | r*(1-n/(n+k)) | r Hz, n 1, k 1
Rayleigh range | m | 3.141593*w^2/l | w m, l m
centre of mass | m | (m*x+n*y)/(m+n) | m kg, x m, n kg, y m
"""


@dataclass(frozen=True, slots=True)
class Law:
    """A law over `a`, `b`, ...: its formula, the units of its variables in order, and that of its value."""

    name: str
    formula: Formula
    units: tuple[str, ...]
    result: str

    @property
    def symbols(self) -> str:
        """The names of its variables, a letter each."""
        return SYMBOLS[: len(self.units)]

    @property
    def level(self) -> int:
        """1 for two variables at most and five parts, 2 for three variables or ten parts, else 3."""
        for level, (variables, parts) in {1: (2, 5), 2: (3, 10)}.items():
            if len(self.units) <= variables and self.formula.nodes <= parts:
                return level
        return 3


def law(row: str) -> Law:
    """The law that a row spells. Raises DomainError, in one line, for what is none or has units that do not fit."""
    parts = [part.strip() for part in row.split("|")]
    fix = "write `name | unit | formula | symbol unit, symbol unit`"
    if len(parts) != 4 or "\n" in row.strip():
        raise DomainError("the text is no law", fix)
    name, result, text, listed = parts
    pairs = [pair.split() for pair in listed.split(",")]
    if any(len(pair) != 2 for pair in pairs) or not 1 <= len(pairs) <= len(SYMBOLS):
        raise DomainError(f"{listed[:40]!r} is no list of symbols and units", fix)
    symbols = [symbol for symbol, _ in pairs]
    try:
        formula = _renamed(parse(text, symbols), dict(zip(symbols, SYMBOLS, strict=False)))
    except FormulaError as error:
        raise DomainError(f"the law {name[:40]!r} has no formula: {error.detail}", fix) from None
    found = Law(name, formula, tuple(given for _, given in pairs), result)
    try:
        given = unit_of(formula, units_of(found))
    except UnitError as error:
        raise DomainError(f"the units of the law {name[:40]!r} do not fit: {error}", "correct them") from None
    if given != unit(result):
        raise DomainError(f"the law {name[:40]!r} does not have the unit {result}", "correct its unit")
    return found


def units_of(found: Law) -> Mapping[str, Unit]:
    """The unit of each variable of a law."""
    return {symbol: unit(text) for symbol, text in zip(found.symbols, found.units, strict=True)}


def _renamed(formula: Formula, names: Mapping[str, str]) -> Formula:
    head = names.get(formula.head, formula.head) if not formula.parts else formula.head
    return Formula(head, tuple(_renamed(part, names) for part in formula.parts), formula.value)


@lru_cache(maxsize=1)
def public() -> tuple[Law, ...]:
    """The laws of the table."""
    return tuple(law(row) for row in ROWS.strip().splitlines())


QUANTITIES = ("m", "s", "kg", "m/s", "m/s^2", "N", "J", "W", "A", "V", "K", "Pa", "kg/m^3", "Hz", "C", "m^2")
"""Units that the variables of made-up laws have."""
FACTORS = ("", "2*", "3*", "0.5*", "4*", "1.5*")


def made(level: int, rng: np.random.Generator) -> Law:
    """A law that nobody wrote: a product of powers, and from level 2 on a sum of two like terms."""
    count = int(rng.integers(1, 3)) if level == 1 else level + int(rng.integers(0, 2))
    units = [str(chosen) for chosen in rng.choice(QUANTITIES, count)]
    term = str(rng.choice(FACTORS))
    for at, symbol in enumerate(SYMBOLS[:count]):
        power = str(rng.choice(["", "", "", "^2", "^3"] if level == 1 else ["", "", "^2"]))
        operator = "" if at == 0 else str(rng.choice(["*", "*", "/"]))
        term += f"{operator}{symbol}{power}"
    text = term
    kind = rng.random()
    if level > 1 and kind < 0.4:
        # A further variable of the first one's unit beside it keeps the units right.
        extra = SYMBOLS[count]
        units.append(units[0])
        text = term.replace("a", f"(a{rng.choice(['+', '-'])}{extra})", 1)
    elif kind > 0.85:
        text = f"sqrt({term})"
    formula = parse(text, SYMBOLS[: len(units)])
    found = Law("made", formula, tuple(units), "1")
    return Law("made", formula, tuple(units), _result(found))


def _result(found: Law) -> str:
    from autotelic.domains.laws.units import spelled

    return spelled(unit_of(found.formula, units_of(found)))
