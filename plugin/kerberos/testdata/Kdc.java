import java.io.File;
import java.util.Arrays;
import org.apache.kerby.kerberos.kerb.server.SimpleKdcServer;

/** A key distribution center: Kdc DIR PORT REALM PRINCIPAL... It writes the keys of the principals to DIR/keys. */
public class Kdc {
    public static void main(String[] args) throws Exception {
        File dir = new File(args[0]);
        SimpleKdcServer kdc = new SimpleKdcServer();
        kdc.setWorkDir(dir);
        kdc.setKdcHost("127.0.0.1");
        kdc.setKdcRealm(args[2]);
        kdc.setKdcTcpPort(Integer.parseInt(args[1]));
        kdc.setAllowUdp(false);
        kdc.init();
        for (String principal : Arrays.copyOfRange(args, 3, args.length)) kdc.createPrincipals(principal);
        for (String principal : Arrays.copyOfRange(args, 3, args.length)) kdc.exportPrincipal(principal, new File(dir, "keys"));
        kdc.start();
        new File(dir, "ready").createNewFile();
        Thread.currentThread().join();
    }
}
