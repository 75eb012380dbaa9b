"""secure - a town whose line is encrypted: an authority, the example broker, city and office.

What an office is given is made by etc/mosquitto/certificates.sh and the broker runs the example
configuration, so that both are tested. What is wrong on purpose is made here, by openssl.
"""
import getpass
import os
import subprocess

import town

ETC = os.path.join(town.ROOT, "etc", "mosquitto")


class Authority:
    """A folder of certificates.sh."""

    def __init__(self, folder, name="authority"):
        self.folder = os.path.join(str(folder), name)
        os.makedirs(self.folder)
        self.run("authority")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def run(self, *words, expect=0, **environment):
        return town.run("sh", os.path.join(ETC, "certificates.sh"), *words, expect=expect,
                        cwd=self.folder, env={**os.environ, **environment})

    def pair(self, whose, lane="alarm"):
        """{ca, cert, key} of a folder such as offices/350105-003."""
        return {"ca": self.path("ca.pem"), "cert": self.path(whose, lane + ".pem"),
                "key": self.path(whose, lane + ".key")}

    def line(self, whose):
        """The settings of both connections."""
        bulk = self.pair(whose, "bulk")
        return {**self.pair(whose), "bulk_cert": bulk["cert"], "bulk_key": bulk["key"]}

    def openssl(self, *argv):
        subprocess.run(["openssl", *argv], check=True, capture_output=True, cwd=self.folder)

    def sign(self, name, subject="broker", alternative="IP:127.0.0.1", use="serverAuth", times=(),
             issuer="ca", key="ec"):
        """NAME.pem and NAME.key; `times` are (notBefore, notAfter) as "20260101000000Z"."""
        kind = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}[key]
        self.openssl("req", "-newkey", *kind, "-nodes", "-keyout", name + ".key", "-out", name + ".csr",
                     "-subj", f"/CN={subject}")
        self.put(name + ".cnf", "[ca]\ndefault_ca = x\n[x]\ndatabase = x.index\nnew_certs_dir = .\n"
                 "default_md = sha256\npolicy = p\nrand_serial = yes\nunique_subject = no\n"
                 "default_days = 2\n[p]\ncommonName = supplied\n[v3]\n"
                 f"basicConstraints = CA:FALSE\nextendedKeyUsage = {use}\n" +
                 (f"subjectAltName = {alternative}\n" if alternative else ""))
        if not os.path.exists(self.path("x.index")):
            self.put("x.index", "")
        bounds = ["-startdate", times[0], "-enddate", times[1]] if times else []
        self.openssl("ca", "-batch", "-notext", "-config", name + ".cnf", "-extensions", "v3", "-cert",
                     issuer + ".pem", "-keyfile", issuer + ".key", "-in", name + ".csr", "-out",
                     name + ".pem", *bounds)
        return {"ca": self.path("ca.pem"), "cert": self.path(name + ".pem"),
                "key": self.path(name + ".key")}

    def put(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as out:
            out.write(text)


class Broker(town.Broker):
    """The example configuration with our paths, port and user; `changes` replace lines of it."""

    def __init__(self, folder, authority, changes=()):
        super().__init__(folder)
        with open(os.path.join(ETC, "outpost-city.conf"), encoding="ascii") as source:
            text = source.read()
        text = text.replace("/etc/mosquitto/outpost/", authority.path("broker", ""))
        text = text.replace("/var/lib/mosquitto/", f"{folder}/")
        text = text.replace("listener 8883", f"listener {self.port}")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        with open(os.path.join(str(folder), "mosquitto.conf"), "w", encoding="ascii") as conf:
            conf.write(text + f"\nlog_dest stderr\nuser {getpass.getuser()}\n")
        self.url = f"mqtts://127.0.0.1:{self.port}"


class City(town.City):
    def __init__(self, folder, broker, authority, name="outpost-city"):
        super().__init__(folder, broker)
        own = authority.line("city/" + name)
        self.argv += ("--client", name, "--ca", own["ca"], "--cert", own["cert"], "--tls-key", own["key"],
                      "--bulk-cert", own["bulk_cert"], "--bulk-tls-key", own["bulk_key"])


class Office(town.Office):
    """A whole office with its own certificates; `tls` are the settings of its line."""

    def __init__(self, folder, city, broker, tls, plugins="", office=town.OFFICE_ID):
        self.tls = tls
        super().__init__(folder, city, broker, plugins, office)

    def configure(self, plugins, city=None, broker=None):
        super().configure(plugins)
        with open(self.config, "a", encoding="utf-8") as out:
            files = "".join(f', {name} = "{path}"' for name, path in self.tls.items())
            out.write(f'city {{ url = "{broker.url}", verifier = "{city.verifier}"{files} }}\n')
